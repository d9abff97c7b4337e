"""What of a config changes the results, and what its data are."""
import hashlib
import os
import os.path as osp
from typing import Any, Dict, Iterator, List, Tuple

from mmengine.config import Config

from mmwsss.files.digests import file_digest
from mmwsss.files.image_lists import find_listed, read_image_list
from mmwsss.registry import REFINERS

# Top-level settings that say where and how it runs, not what comes out.
_HOW = {'work_dir', 'log_level', 'log_processor', 'visualizer',
        'vis_backends', 'launcher', 'resume', 'experiment_name', 'env_cfg',
        'localize_workers', 'refine_workers', 'default_scope', 'data_root'}
_HOW_ANYWHERE = {'num_workers', 'persistent_workers', 'prefetch_factor',
                   'pin_memory'}
_HOW_OF_HOOKS = {'logger', 'timer', 'runtime_info', 'visualization'}
_ONLY_SHOWS = {'LocalizationVisualizationHook'}
# Where data sets keep files; what is in them counts, not where they are.
_PLACES = {'data_root', 'data_prefix', 'ann_file', 'label_source'}


def result_settings(cfg: Config, work_dir: str,
                    masks: bool = False) -> Dict[str, Any]:
    """The settings that results depend on, one value a name.

    Numbers of workers, logging and pictures do not count. A file counts by
    its content, a data set by its list, labels and photos, wherever they lie
    and however the path is written.

    Args:
        cfg (Config): The config.
        work_dir (str): Paths below it are written relative to it, as the
            folder may be moved.
        masks (bool): Whether true masks count as well. Defaults to False.

    Returns:
        dict: ``{'optim_wrapper.optimizer.lr': 0.0001, ...}``, of what JSON
        can hold.
    """
    settings: Dict[str, Any] = {}
    for name, value in cfg.to_dict().items():
        if name in _HOW:
            continue
        if name == 'default_hooks':
            value = {key: one for key, one in value.items()
                     if key not in _HOW_OF_HOOKS}
        elif name == 'custom_hooks':
            value = [hook for hook in value
                     if hook.get('type') not in _ONLY_SHOWS]
        settings.update(_flat(name, _identified(value, masks),
                              osp.abspath(work_dir)))
    return settings


def _identified(node: Any, masks: bool) -> Any:
    """A copy in which what the data sets read stands for where it lies."""
    if isinstance(node, (list, tuple)):
        return [_identified(one, masks) for one in node]
    if not isinstance(node, dict):
        return node
    refiner = REFINERS.get(str(node.get('type')))
    if refiner is not None:
        # What it reads counts, wherever it finds it.
        return dict(REFINERS.build(dict(node)).settings(), type=node['type'])
    copied = {key: _identified(value, masks) for key, value in node.items()
              if key not in _HOW_ANYWHERE
              and not ('data_root' in node and key in _PLACES)}
    if 'data_root' in node:
        copied['data'] = data_identity(node, masks)
    return copied


def _flat(name: str, node: Any, work_dir: str) -> Iterator[Tuple[str, Any]]:
    """Names and plain values of a part of a config."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _flat(f'{name}.{key}', value, work_dir)
    elif isinstance(node, (list, tuple)) and any(
            isinstance(one, (dict, list, tuple)) for one in node):
        for index, value in enumerate(node):
            yield from _flat(f'{name}.{index}', value, work_dir)
    elif isinstance(node, (list, tuple)):
        yield name, [_plain(value, work_dir) for value in node]
    else:
        yield name, _plain(node, work_dir)


def _plain(value: Any, work_dir: str) -> Any:
    """A value as JSON holds it; a file by its content."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if not isinstance(value, str):
        return repr(value)
    # A part is the same with its scope and without.
    value = value.removeprefix('mmwsss.')
    full = osp.abspath(osp.expanduser(value))
    if full.startswith(work_dir + os.sep):
        return osp.join('<work dir>', osp.relpath(full, work_dir))
    if osp.isfile(full):
        return f'{osp.basename(full)} ({file_digest(full)})'
    if os.sep in value and osp.isdir(full):
        sizes = repr(_all_sizes(full)).encode()
        return f'folder ({hashlib.sha256(sizes).hexdigest()[:16]})'
    return value


def data_identity(dataset: Dict[str, Any], masks: bool = False) -> str:
    """A digest of a data set's list, labels and the sizes of its files.

    Args:
        dataset (dict): Its config, with ``data_root``.
        masks (bool): Whether its true masks count as well.

    Returns:
        str: Hexadecimal.
    """
    root = osp.expanduser(dataset.get('data_root') or '')
    digest = hashlib.sha256()
    listed = dataset.get('ann_file') or ''
    labels = dict(dataset.get('label_source') or {})
    # A source that names no file reads masks or VOC's annotations.
    if len(labels) == 1:
        masks, labels['folder'] = True, 'Annotations'
    list_file = osp.join(root, listed) if listed else ''
    images = read_image_list(list_file) if osp.isfile(list_file) else None
    if images is not None:  # however its lines end
        text = ''.join(f'{image.text}\n' for image in images)
        listed = hashlib.sha256(text.encode()).hexdigest()[:16]
    for name, place in [('list', listed), *sorted(labels.items())]:
        path = osp.join(root, place) if isinstance(place, str) else ''
        if place and osp.isfile(path):
            place = file_digest(path)
        elif place and name != 'type' and osp.isdir(path):
            place = repr(_all_sizes(path))
        digest.update(f'{name}={place}'.encode())
    prefix = dataset.get('data_prefix') or {}
    kinds = [('img_path', dataset.get('img_suffix', '.jpg'))]
    if masks:
        kinds.append(('seg_map_path', dataset.get('seg_map_suffix', '.png')))
    for kind, suffix in kinds:
        folder = osp.join(root, prefix.get(kind) or '')
        if not prefix.get(kind) and kind != 'img_path':
            continue
        if images is None:
            sizes = _all_sizes(folder)
        else:
            found = [find_listed(image, folder, suffix) for image in images]
            sizes = [(stem, _size(path)) for path, stem in found]
        digest.update(repr(sizes).encode())
    return digest.hexdigest()[:16]


def _all_sizes(folder: str) -> List[Tuple[str, int]]:
    """Names and sizes of all files below a folder, sorted."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = osp.join(place, name)
            found.append((osp.relpath(path, folder), _size(path)))
    return sorted(found)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1
