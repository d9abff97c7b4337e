"""Writing CLIP image embeddings of photos; a stopped run can go on."""
import hashlib
import os
import os.path as osp
import re
import time
from functools import partial
from itertools import islice
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmengine.logging import print_log
from PIL import Image
from torch import Tensor
from torchvision import transforms

from mmwsss.files.atomic import require_writable_file, write_npz
from mmwsss.files.image_lists import find_listed, read_image_list
from mmwsss.files.photos import (
    find_photos,
    image_name,
    no_photos,
    read_photo,
)
from mmwsss.files.safe_npz import INTEGERS, TEXT, read_embeddings
from mmwsss.models.clip import CLIPImageEncoder, build_image_encoder
from mmwsss.models.clip_weights import (
    PathLike,
    clip_model_name,
    read_clip_state_dict,
)
from mmwsss.parallel.devices import choose_device
from mmwsss.parallel.progress import in_threads
from mmwsss.problems import DataError

# A photo's name and the size of its file in bytes: a photo that was replaced
# between two runs, or one of that name from another folder, is done again.
_Key = Tuple[str, int]
# A part, or what a killed run left of one.
_PART_FILE = re.compile(r'\d{6}\.npz(\..+\.tmp)?')


def extract_image_embeddings(out_file: PathLike,
                             image_paths: Sequence[PathLike],
                             weights: PathLike,
                             batch_size: int = 64,
                             resume: bool = True,
                             model_name: Optional[str] = None,
                             device: Optional[str] = None,
                             num_workers: int = 4,
                             save_interval: float = 10.,
                             lenient: bool = False) -> str:
    """Write CLIP's image embeddings of photos.

    The file is an ``.npz`` with ``names`` (N,), the file names without folder
    and extension, ``embeddings`` (N, E) float32 of unit length, in the order
    of ``image_paths``, and ``model``. Until it is finished, the work is kept
    in the folder ``{out_file}.parts``.

    Args:
        out_file (str | PathLike): The ``.npz`` to write.
        image_paths (Sequence[str | PathLike]): The photos.
        weights (str | PathLike): Path or URL of a plain CLIP state dict with
            a ViT, in OpenAI's or Hugging Face's layout, trained with QuickGELU
            as OpenAI's are.
        batch_size (int): Photos that are embedded at a time. Defaults to 64.
        resume (bool): Go on where an interrupted run with the same weights
            stopped; False starts over. Defaults to True.
        model_name (str, optional): Stored as ``model``; by default read from
            the weights, e.g. 'CLIP ViT-B/16'.
        device (str, optional): 'cpu', 'cuda', ...; by default the GPU if
            there is one.
        num_workers (int): Threads that read photos. Defaults to 4.
        save_interval (float): Seconds between two savings. Defaults to 10.
        lenient (bool): Take photos that can be decoded though they show signs
            of damage. Defaults to False.

    Returns:
        str: ``out_file``.

    Raises:
        DataError: If a photo is missing or damaged, two have one name, or the
            weights are unsafe or not those of a CLIP ViT.
        FileNotFoundError: If there are no such weights.
    """
    if batch_size < 1:
        raise DataError(f'batch_size {batch_size}: must be at least 1')
    out_file = require_writable_file(out_file)
    photos = {(name, osp.getsize(path)): path
              for name, path in named_photos(image_paths).items()}
    state = read_clip_state_dict(weights)
    encoder = build_image_encoder(state, weights).to(choose_device(device))
    parts = _Parts(f'{out_file}.parts', _digest(encoder),
                   encoder.vit.out_channels, resume)
    todo = {key: path for key, path in photos.items()
            if key not in parts.rows}
    if todo:
        if len(todo) < len(photos):
            print_log(f'{len(photos) - len(todo)} of {len(photos)} photos '
                      'were done before', 'current')
        _encode_photos(encoder, todo, batch_size, num_workers, parts,
                       save_interval, lenient)
    write_npz(
        out_file,
        names=np.array([name for name, _ in photos]),
        embeddings=np.stack([parts.rows[key] for key in photos]),
        model=np.array(model_name or clip_model_name(state, weights)))
    parts.remove()
    print_log(f'Wrote {out_file}: {len(photos)} photos', 'current')
    return out_file


def find_images(folder: Optional[PathLike] = None,
                list_file: Optional[PathLike] = None) -> List[str]:
    """Photos of a folder, or those that a list names.

    Args:
        folder (str | PathLike, optional): Where the photos are. Defaults to
            the folder of the list.
        list_file (str | PathLike, optional): A text file with one photo a
            line, with or without its extension. Defaults to None: all photos
            of the folder, in order of name.

    Returns:
        list[str]: Paths.

    Raises:
        DataError: If there are no photos, or a listed one is missing.
    """
    if folder is not None:
        folder = os.fspath(folder)
    elif list_file is not None:
        folder = osp.dirname(os.fspath(list_file))
    else:
        raise DataError('no photos named; give a folder or a list')
    if not osp.isdir(folder or '.'):
        raise DataError(f'{folder}: no such folder of photos; check the path')
    # Path without extension -> paths, both from the folder on.
    found: Dict[str, List[str]] = {}
    photos, others = find_photos(folder or '.')
    for file in photos:
        found.setdefault(osp.splitext(file)[0], []).append(file)
    if list_file is None:
        if not found:
            raise DataError(no_photos(folder or '.', others))
        if others:
            print_log(f'{folder}: {len(photos):,} photos, {len(others):,} '
                      f'left out: {", ".join(others[:10])}'
                      f'{", ..." if len(others) > 10 else ""}', 'current')
        return [osp.join(folder, file)
                for files in found.values() for file in files]
    images = read_image_list(os.fspath(list_file))
    if not images:
        raise DataError(f'{list_file}: lists no photo; write one a line')
    paths = []
    for image in images:
        files = found.get(image.photo, [])
        if len(files) > 1:
            raise DataError(f'{list_file}: {image.photo!r} may be '
                            f'{" or ".join(files)}; write it in full')
        paths.append(osp.join(folder, files[0]) if files else
                     find_listed(image, folder, '')[0])
    return paths


def load_photo(path: PathLike, size: int, lenient: bool = False) -> Tensor:
    """A photo as CLIP sees it, before normalisation.

    The short side is brought to ``size`` pixels by bicubic interpolation,
    then the centre is cut out.

    Args:
        path (str | PathLike): An image file of any kind.
        size (int): Side of the result in pixels.
        lenient (bool): Take photos that can be decoded though they show signs
            of damage. Defaults to False.

    Returns:
        Tensor: uint8 RGB, (3, size, size).

    Raises:
        DataError: If the file is damaged or not an image.
    """
    prepare = transforms.Compose([
        transforms.Resize(size, transforms.InterpolationMode.BICUBIC),
        transforms.CenterCrop(size), transforms.PILToTensor()])
    return prepare(Image.fromarray(read_photo(os.fspath(path), lenient)))


def _encode_photos(encoder: CLIPImageEncoder, photos: Dict[_Key, str],
                   batch_size: int, num_workers: int, parts: '_Parts',
                   save_interval: float, lenient: bool) -> None:
    """Fill ``parts``; what is finished is kept whatever happens."""
    saved = time.monotonic()
    keys = iter(photos)
    load = partial(load_photo, size=encoder.image_size, lenient=lenient)
    loaded = in_threads(load, photos.values(), 'Embedding photos',
                        len(photos), num_workers)
    try:
        while images := list(islice(loaded, batch_size)):
            vectors = encoder(torch.stack(images)).cpu().numpy()
            parts.add(dict(zip(islice(keys, len(vectors)), vectors)))
            if time.monotonic() - saved >= save_interval:
                parts.save()
                saved = time.monotonic()
    finally:
        parts.save()


class _Parts:
    """Finished embeddings of a run that may be interrupted.

    Each saving adds one file to a folder; no file is ever changed.

    Args:
        folder (str): Where the files are.
        digest (str): Fingerprint of the weights; parts made with others are
            not used.
        dims (int): Size E of an embedding.
        resume (bool): False removes what an earlier run left.
    """

    def __init__(self, folder: str, digest: str, dims: int,
                 resume: bool) -> None:
        self.folder = folder
        self.dims = dims
        self.digest = digest
        self.rows: Dict[_Key, np.ndarray] = {}
        self._new: Dict[_Key, np.ndarray] = {}
        if not resume:
            self.remove()
        files = sorted(os.listdir(folder)) if osp.isdir(folder) else []
        files = [file for file in files if _PART_FILE.fullmatch(file)
                 and file.endswith('.npz')]
        self._next = int(files[-1].split('.')[0]) + 1 if files else 0
        for file in files:
            self._read(osp.join(folder, file))

    def _read(self, path: str) -> None:
        try:
            names, vectors, arrays = read_embeddings(
                path, dict(weights=TEXT, sizes=INTEGERS))
            if arrays['weights'].tolist() != self.digest:
                print_log(f'{path}: from other weights, not used', 'current')
                return
            sizes = arrays['sizes']
            if (sizes.shape != (len(names), )
                    or vectors.shape[1] != self.dims):
                raise ValueError(f'vectors of shape {vectors.shape} for '
                                 f'{sizes.size} photos')
            self.rows.update(zip(zip(names, sizes.tolist()), vectors))
        except ValueError as error:
            print_log(f'{path}: cannot be read ({error}), done again',
                      'current')

    def add(self, rows: Dict[_Key, np.ndarray]) -> None:
        """Take finished embeddings, to be saved with the next part."""
        self.rows.update(rows)
        self._new.update(rows)

    def save(self) -> None:
        """Write what was added since the last time."""
        if not self._new:
            return
        names, sizes = zip(*self._new)
        write_npz(
            osp.join(self.folder, f'{self._next:06d}.npz'),
            names=np.array(names),
            sizes=np.array(sizes, dtype=np.int64),
            embeddings=np.stack(list(self._new.values())),
            weights=np.array(self.digest))
        self._next += 1
        self._new = {}

    def remove(self) -> None:
        """Remove all parts, and the folder unless others use it."""
        if not osp.isdir(self.folder):
            return
        for file in os.listdir(self.folder):
            if _PART_FILE.fullmatch(file):
                os.remove(osp.join(self.folder, file))
        if not os.listdir(self.folder):
            os.rmdir(self.folder)


def named_photos(paths: Sequence[PathLike]) -> Dict[str, str]:
    """Photos by name, in order; all exist, names differ.

    Args:
        paths (Sequence[str | PathLike]): The photos.

    Returns:
        dict[str, str]: File name without folder and extension -> path.

    Raises:
        DataError: If a photo is missing, two have one name, or there is none.
    """
    names: Dict[str, str] = {}
    for path in [os.fspath(path) for path in paths]:
        name = image_name(path)
        if not osp.isfile(path):
            raise DataError(f'{path}: no such photo; correct the path or take '
                            'it off the list')
        if name in names:
            raise DataError(f'{path}: the name {name!r} is taken by '
                            f'{names[name]}; each photo needs its own name')
        names[name] = path
    if not names:
        raise DataError('no photos; name at least one')
    return names


def _digest(encoder: CLIPImageEncoder) -> str:
    """Fingerprint of the weights, to know them again after a break."""
    digest = hashlib.sha256()
    for value in encoder.state_dict().values():
        digest.update(value.cpu().contiguous().numpy())
    return digest.hexdigest()
