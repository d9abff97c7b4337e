"""What the maps in a folder come from, so that two sources never mix."""
import glob
import hashlib
import json
import os
import os.path as osp
import time
import zipfile
import zlib
from typing import Dict, Optional

from mmengine.config import Config
from mmengine.dataset import BaseDataset

from mmwsss.files.checkpoints import weights_digest
from mmwsss.files.json_files import read_json, write_json
from mmwsss.problems import ConfigError, DataError
from mmwsss.refiners import RefinerChain
from mmwsss.registry import forget_pretrained

_STALE = 3600  # seconds after which an unfinished file is nobody's


def describe_source(cfg: Config, checkpoint: Optional[str],
                    dataset: BaseDataset) -> dict:
    """Hashes of all that maps depend on.

    Args:
        cfg (Config): Config of the model.
        checkpoint (str, optional): Path or URL of its weights; None where
            only the refiners of the config work.
        dataset (BaseDataset): The images.

    Returns:
        dict: ``weights`` and ``settings``, and in ``images`` one hash by
        image id: of its labels, the size of its file and what else the
        network reads of it, input maps or an embedding.
    """
    network: list = []
    if checkpoint is not None:
        model = cfg.model.to_dict()
        forget_pretrained(model)  # its weights are the checkpoint's
        network = [model, cfg.localize_pipeline]
    settings = json.dumps(
        [*network, RefinerChain(cfg.get('refiners', [])).fingerprint(),
         cfg.get('map_stride', 1), cfg.get('map_dtype', 'uint8'),
         cfg.get('max_side')],
        default=str, sort_keys=True)
    infos = map(dataset.get_data_info, range(len(dataset)))
    return dict(
        weights=weights_digest(checkpoint) if checkpoint is not None else '',
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
    """Note what the maps in a folder come from; refuse to mix two sources.

    Args:
        out_dir (str): The folder; maps are in ``maps`` below it.
        source (dict): From :func:`describe_source`.
        overwrite (bool): Remove maps that come from something else.

    Raises:
        ConfigError: If there are such maps and ``overwrite`` is not set.
    """
    path = osp.join(out_dir, 'manifest.json')
    maps = {osp.splitext(osp.basename(name))[0]: name for name in
            glob.glob(osp.join(glob.escape(out_dir), 'maps', '*.npz'))}
    before = _read(path)
    changed = [key for key in ('weights', 'settings')
               if before.get(key) != source[key]]
    images: Dict[str, str] = before.get('images', {})
    stale = list(maps) if changed else [
        name for name, digest in source['images'].items()
        if name in maps and images.get(name) != digest]
    if stale and not overwrite:
        reason = (f'made with other {" and ".join(changed)}' if changed else
                  f'of {len(stale)} photos whose file, labels or input maps '
                  f'have changed since, e.g. {stale[0]}')
        raise ConfigError(f'{out_dir} holds maps {reason}; choose another '
                          '--out-dir, or replace them with --overwrite')
    for name in stale:
        os.remove(maps[name])
    known = {} if changed else images
    write_json(path, dict(source, images={**known, **source['images']}))
    # What a killed run left half-written.
    for name in glob.glob(osp.join(glob.escape(out_dir), '*', '*.tmp')):
        if time.time() - os.stat(name).st_mtime > _STALE:
            os.remove(name)


def _read(path: str) -> dict:
    if not osp.isfile(path):
        return {}
    try:
        return dict(read_json(path))
    except (DataError, ValueError, TypeError) as error:
        raise DataError(f'{path}: damaged ({error}); remove it and use '
                        '--overwrite') from error
