"""What the files in a folder come from, so that two sources never mix."""
import glob
import hashlib
import json
import os
import os.path as osp
import zipfile
import zlib
from contextlib import suppress
from typing import Dict, List, Optional, Set, Tuple

from mmengine.config import Config
from mmengine.dataset import BaseDataset

from mmwsss.engine.map_writer import storage_options
from mmwsss.files.checkpoints import weights_digest
from mmwsss.files.json_files import read_json, write_json
from mmwsss.files.unfinished import remove_unfinished
from mmwsss.problems import ConfigError, DataError
from mmwsss.refiners import RefinerChain
from mmwsss.registry import forget_pretrained

from .untrained import files_digest

_KINDS = dict(maps='.npz', masks='.png', npy='.npy')
_SUMMARIES = ('scores.json', 'photos.json', 'threshold_curve.png',
              'overlays.png')


def describe_source(cfg: Config, checkpoint: Optional[str],
                    dataset: BaseDataset, split: str = 'train',
                    untrained: bool = False) -> dict:
    """Hashes of all that maps depend on.

    Args:
        cfg (Config): Config of the model.
        checkpoint (str, optional): Path or URL of its weights; None where
            only the refiners of the config work, or the model needs none.
        dataset (BaseDataset): The images.
        split (str): What the list of images is called. Defaults to 'train'.
        untrained (bool): Whether the model works without a checkpoint.
            Defaults to False.

    Returns:
        dict: ``weights``, ``settings`` and ``split``, and in ``images`` one
        hash by image id: of its labels, the size of its file and what else the
        network reads of it, input maps or an embedding.
    """
    network: list = []
    weights = ''
    if checkpoint is not None:
        weights = weights_digest(checkpoint)
    elif untrained:
        weights = files_digest(cfg.model)
    if weights:
        model = cfg.model.to_dict()
        forget_pretrained(model)  # its weights are the checkpoint's
        network = [model, cfg.localize_pipeline]
    settings = json.dumps(
        [*network, RefinerChain(cfg.get('refiners', [])).fingerprint(),
         storage_options(cfg)],
        default=str, sort_keys=True)
    infos = map(dataset.get_data_info, range(len(dataset)))
    return dict(
        weights=weights,
        split=split,
        settings=hashlib.sha256(settings.encode()).hexdigest(),
        images={info['sample_id']: _image_digest(info) for info in infos})


def _image_digest(info: dict) -> str:
    digest = zlib.crc32(info['gt_label'].tobytes())
    size = os.stat(info['img_path']).st_size
    digest = zlib.crc32(str(size).encode(), digest)
    if 'image_embedding' in info:
        digest = zlib.crc32(info['image_embedding'].tobytes(), digest)
    if 'map_path' in info:
        digest = zlib.crc32(_file_digest(info['map_path']), digest)
    return f'{digest:08x}'


def _file_digest(path: str) -> bytes:
    """Of a map file; an ``.npz`` holds the checksums of its arrays."""
    if path.endswith('.npz'):
        with zipfile.ZipFile(path) as file:
            return repr([part.CRC for part in file.infolist()]).encode()
    with open(path, 'rb') as file:
        return file.read()


def claim(out_dir: str, source: dict, overwrite: bool) -> None:
    """Note what a folder's files come from; refuse to mix two sources.

    The files are maps, masks, exported maps and what sums them up. Another
    list of images is another source; one that has grown under its name is
    not.

    Args:
        out_dir (str): The folder.
        source (dict): From :func:`describe_source`.
        overwrite (bool): Remove files that come from something else.

    Raises:
        ConfigError: If there are such files and ``overwrite`` is not set.
    """
    path = osp.join(out_dir, 'manifest.json')
    files = _files(out_dir)
    summaries = [name for name in (osp.join(out_dir, name)
                                   for name in _SUMMARIES)
                 if osp.isfile(name)]
    before = _read(path)
    changed = [key for key in ('weights', 'settings')
               if before.get(key) != source[key]]
    images: Dict[str, str] = before.get('images', {})
    named = set(files) | (set(images) if summaries else set())
    stale, reason = _conflict(before, source, changed, set(files), named)
    if (stale or (reason and summaries)) and not overwrite:
        raise ConfigError(f'{out_dir} holds {reason}; choose another '
                          '--out-dir, or replace them with --overwrite')
    for name in stale:
        for file in files.get(name, ()):
            with suppress(FileNotFoundError):
                os.remove(file)
    for file in summaries if reason else ():
        with suppress(FileNotFoundError):
            os.remove(file)
    kept = {} if changed else {name: digest for name, digest in images.items()
                               if name not in stale}
    write_json(path, dict(source, images={**kept, **source['images']}))
    remove_unfinished(out_dir)


def refuse_inputs(out_dir: str, dataset: BaseDataset,
                  option: str = '--out-dir') -> None:
    """Raise if what is written would lie among, or replace, what is read.

    Masks replace the whole folder ``masks``, and ``overlays.png`` beside the
    photos would be taken for one of them.

    Args:
        out_dir (str): The folder that gets maps, masks and scores.
        dataset (BaseDataset): The images.
        option (str): What named the folder, for the error. Defaults to
            '--out-dir'.

    Raises:
        ConfigError: If a photo, a true mask or a map that is read lies there;
            or it lies in a folder of photos that is read whole, without a
            list.
    """
    photos = getattr(dataset, 'data_prefix', {}).get('img_path')
    if photos and not dataset.ann_file:
        refuse_photo_folder(out_dir, photos, option)
    read: Dict[str, str] = {}
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        for kind in ('img_path', 'seg_map_path', 'map_path'):
            if info.get(kind):
                read[osp.dirname(info[kind])] = info[kind]
    written = {osp.realpath(osp.join(out_dir, kind)) for kind in ('', *_KINDS)}
    for folder, path in read.items():
        if osp.realpath(folder) in written:
            raise _among_results(out_dir, path, option)


def refuse_photo_folder(folder: str, photos: str, option: str,
                        above: bool = False) -> None:
    """Raise if results in a folder would be taken for photos.

    Args:
        folder (str): Where results are written.
        photos (str): A folder of which every picture is a photo.
        option (str): What named ``folder``, for the error.
        above (bool): Whether photos may not lie below ``folder``, either;
            they may be a single file, too. Defaults to False.

    Raises:
        ConfigError: If ``folder`` is the folder of photos, or lies in it.
    """
    written, read = osp.realpath(folder), osp.realpath(photos)
    if osp.commonpath([written, read]) == read:
        raise ConfigError(
            f'{option} {folder}: lies in {photos}, of which every picture is '
            'taken for a photo; choose a folder outside it')
    if above and osp.commonpath([written, read]) == written:
        raise _among_results(folder, photos, option)


def _among_results(folder: str, path: str, option: str) -> ConfigError:
    return ConfigError(f'{option} {folder}: {path}, which is read, lies where '
                       'results are written; choose another folder')


def _files(out_dir: str) -> Dict[str, List[str]]:
    """Image id -> its files in a folder."""
    found: Dict[str, List[str]] = {}
    for kind, ending in _KINDS.items():
        for path in glob.glob(osp.join(glob.escape(out_dir), kind,
                                       '*' + ending)):
            name = osp.splitext(osp.basename(path))[0]
            found.setdefault(name, []).append(path)
    return found


def _conflict(before: dict, source: dict, changed: List[str],
              there: Set[str], named: Set[str]) -> Tuple[List[str], str]:
    """Images whose files are of something else, and why."""
    now, images = source['images'], before.get('images', {})
    what = 'maps' if there else 'scores'
    if changed:
        return sorted(there), f'{what} made with other {" and ".join(changed)}'
    others = sorted(named - set(now))
    if others:
        return others, (f'maps, masks or scores of {len(others)} images that '
                        f'are not in this list, e.g. {others[0]}')
    known = [name for name in now if name in there]
    stale = [name for name in known if images.get(name) != now[name]]
    if stale:
        return stale, (f'maps of {len(stale)} photos whose file, labels or '
                       'input maps have changed since, e.g. '
                       f'{stale[0]}')
    split = before.get('split', source['split'])
    if named and split != source['split'] and set(now) - set(images):
        return [], (f'masks and scores of another list, {split}, of '
                    f'{len(images)} of these {len(now)} images')
    return [], ''


def _read(path: str) -> dict:
    """What a manifest holds; nothing where there is none."""
    if not osp.isfile(path):
        return {}
    try:
        content = read_json(path)
    except DataError as error:
        content, reason = None, str(error)
    else:
        reason = 'not what was written'
    images = content.get('images', {}) if isinstance(content, dict) else None
    if not isinstance(images, dict) or not all(
            isinstance(digest, str) for digest in images.values()):
        raise DataError(f'{path}: damaged ({reason}); remove it and use '
                        '--overwrite')
    return content
