"""Segments without a class of a folder of photos, from three sources."""
import os
import os.path as osp
import reprlib
from functools import partial
from importlib.util import find_spec
from typing import Any, Callable, Dict, Mapping, Optional

import numpy as np
from mmengine.logging import print_log
from PIL import Image

from mmwsss.files.atomic import require_writable
from mmwsss.files.digests import folder_digest
from mmwsss.files.json_files import read_json, write_json
from mmwsss.files.photos import image_name, read_photo
from mmwsss.files.segments import SUFFIXES, write_labels, write_masks
from mmwsss.files.unfinished import remove_unfinished
from mmwsss.files.work_size import fit_photo, work_size
from mmwsss.parallel.devices import choose_device
from mmwsss.parallel.distributed import cpu_share
from mmwsss.parallel.progress import in_processes
from mmwsss.problems import DataError, one_line, unknown_name

from .image_embeddings import PathLike, find_images, named_photos

# What the methods can be told, with the defaults. Superpixels: those that
# helped most on real photos, see docs/data.md. SAM: its own.
METHODS: Dict[str, Dict[str, Any]] = dict(
    slic=dict(n_segments=300, compactness=10.),
    felzenszwalb=dict(scale=100., sigma=0.8, min_size=50),
    sam=dict(points_per_batch=64, points_per_crop=32, pred_iou_thresh=0.88,
             stability_score_thresh=0.95, crops_n_layers=0))
# How the segments of a folder were made; hidden, as no photo is called so.
_RECORD = '.extraction.json'


# Writes the segments of a photo under a path without its extension.
_Maker = Callable[[np.ndarray, str], None]


def extract_segments(photos: PathLike,
                     out_dir: str,
                     method: str = 'felzenszwalb',
                     options: Optional[Mapping[str, Any]] = None,
                     model: Optional[str] = None,
                     device: Optional[str] = None,
                     max_side: Optional[int] = None,
                     list_file: Optional[PathLike] = None,
                     num_workers: Optional[int] = None,
                     lenient: bool = False) -> int:
    """Write the segments of photos, a file a photo.

    Superpixels become label PNGs, SAM's segments JSON, see
    :mod:`mmwsss.files.segments`. Photos whose file is there are passed over,
    so that an interrupted run can go on.

    Args:
        photos (str | PathLike): Folder of photos.
        out_dir (str): Where to write.
        method (str): 'slic' or 'felzenszwalb', which need scikit-image, or
            'sam', which needs transformers. Defaults to 'felzenszwalb'.
        options (Mapping[str, Any], optional): Options of the method that
            differ from ``METHODS``.
        model (str, optional): For 'sam': a folder that ``save_pretrained``
            wrote, or a name on the Hugging Face hub, of SAM or SAM 2.
        device (str, optional): For 'sam': 'cpu', 'cuda', ...; by default the
            GPU if there is one.
        max_side (int, optional): Make larger photos smaller before, as the
            ``max_side`` of the config that will use the segments does.
            Defaults to None.
        list_file (str | PathLike, optional): Only the photos that it lists,
            see :func:`~mmwsss.preparation.find_images`. Defaults to None: all
            of the folder.
        num_workers (int, optional): Processes that make superpixels; 0 works
            in this one. Defaults to the number of CPU cores.
        lenient (bool): Take photos that can be decoded though they show signs
            of damage. Defaults to False.

    Returns:
        int: How many files were written.

    Raises:
        DataError: If an option is wrong, a package is missing, a photo is
            missing or damaged, two have one name, or ``out_dir`` has segments
            that were made in another way.
    """
    checked = _checked_options(method, options or {})
    if (model is not None) != (method == 'sam'):
        raise DataError('sam needs a model, and superpixels none; give the '
                        'folder or the name of a SAM as --model with '
                        '--method sam')
    named = named_photos(find_images(photos, list_file))
    out_dir = require_writable(out_dir)
    remove_unfinished(out_dir)
    make = _STARTERS[method](checked, model, device)
    _claim(out_dir, dict(method=method, options=checked, max_side=max_side,
                         model=_model_name(model)))
    todo = [path for name, path in named.items() if not any(
        osp.isfile(osp.join(out_dir, name + suffix)) for suffix in SUFFIXES)]
    if num_workers is None:
        num_workers = cpu_share()
    work = partial(_write_segments, make, out_dir, max_side, lenient)
    # A network works in this process.
    for _ in in_processes(work, todo, 'Segments',
                          num_workers if model is None else 0):
        pass
    print_log(f'{out_dir}: segments of {len(named):,} photos, {len(todo):,} '
              'of them new', 'current')
    return len(todo)


def _write_segments(make: _Maker, out_dir: str, max_side: Optional[int],
                    lenient: bool, path: str) -> None:
    """The segments of one photo."""
    photo = read_photo(path, lenient)
    photo = fit_photo(photo, work_size(photo.shape[:2], max_side))
    try:
        make(photo, osp.join(out_dir, image_name(path)))
    except DataError:
        raise
    except (ValueError, TypeError, IndexError, ArithmeticError) as error:
        # What the libraries say of an option, or of a photo of one pixel.
        raise DataError(f'{path}: no segments can be made with these options '
                        f'({one_line(error)}); change them, or leave the '
                        'photo out') from error


def _superpixels(name: str, options: Dict[str, Any], model: Optional[str],
                 device: Optional[str]) -> _Maker:
    """A method of scikit-image."""
    _require('skimage', 'scikit-image', 'superpixels')
    return partial(_write_superpixels, name, options)


def _write_superpixels(name: str, options: Dict[str, Any], photo: np.ndarray,
                       path: str) -> None:
    from skimage import segmentation  # slow to import
    labels = getattr(segmentation, name)(photo, **options)
    write_labels(f'{path}.png', labels - labels.min() + 1)


def _sam(options: Dict[str, Any], model: Optional[str],
         device: Optional[str]) -> _Maker:
    """The mask generation of transformers."""
    _require('transformers', '"transformers<5"', 'SAM')
    points, batch = options['points_per_crop']**2, options['points_per_batch']
    if batch < 1 or points % batch:
        raise DataError(f'points_per_batch={batch}: transformers takes all '
                        f'{points} points (points_per_crop, squared) in '
                        'batches of one size; give a divisor')
    from transformers import pipeline  # type: ignore[import-not-found]
    try:
        # Weights in safetensors hold no code.
        generator = pipeline('mask-generation', model=model,
                             device=choose_device(device),
                             model_kwargs=dict(use_safetensors=True))
    except Exception as error:  # of many kinds, as is what can be wrong
        raise DataError(
            f'{model}: transformers finds no SAM there ({one_line(error)}); '
            'give a folder that save_pretrained wrote, or a name on the '
            'Hugging Face hub') from error
    return partial(_write_sam, partial(generator, **options))


def _write_sam(generator: Callable[[Image.Image], Dict[str, Any]],
               photo: np.ndarray, path: str) -> None:
    found = generator(Image.fromarray(photo))
    write_masks(f'{path}.json', map(np.asarray, found['masks']),
                map(float, found['scores']))


_STARTERS: Dict[str, Callable[[Dict[str, Any], Optional[str], Optional[str]],
                              _Maker]] = dict(
    slic=partial(_superpixels, 'slic'),
    felzenszwalb=partial(_superpixels, 'felzenszwalb'), sam=_sam)


def _require(module: str, package: str, extra: str) -> None:
    if not find_spec(module):
        raise DataError(f'{extra} of photos need a package: pip install '
                        f'{package}')


def _checked_options(method: str, given: Mapping[str, Any]
                     ) -> Dict[str, Any]:
    """All options of a method, as numbers."""
    if method not in METHODS:
        raise DataError(unknown_name('method', method, METHODS))
    options = dict(METHODS[method])
    for name, value in given.items():
        if name not in options:
            raise DataError(unknown_name(f'option of {method}', name,
                                         options))
        kind = type(options[name])
        try:
            options[name] = kind(value)
        except ValueError as error:
            raise DataError(f'{name}={value!r}: give a '
                            f'{"whole " if kind is int else ""}number'
                            ) from error
    return options


def _model_name(model: Optional[str]) -> Optional[str]:
    """What a network is known by: of a local one its files."""
    if model is None or not osp.isdir(model):
        return model
    return folder_digest(model, ('.json', '.safetensors'))


def _claim(out_dir: str, record: Dict[str, Any]) -> None:
    """Note how segments are made; refuse to mix two ways."""
    path = osp.join(out_dir, _RECORD)
    if osp.isfile(path):
        found = read_json(path)
    elif any(name.endswith(SUFFIXES) for name in os.listdir(out_dir)):
        found = 'segments of unknown origin'
    else:
        write_json(path, record)
        return
    if found != record:
        raise DataError(f'{out_dir}: holds {reprlib.repr(found)}, not '
                        f'{record}; give another folder')
