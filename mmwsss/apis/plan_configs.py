"""The short configs that a plan writes, which inherit the shipped ones."""
import json
import os.path as osp
import pprint
from typing import Any, Dict, Optional

from mmwsss.files.near_paths import near_path

_HERE = '{{ fileDirname }}'
"""In a config: the folder that it lies in, wherever that is."""
_HEAD = '''\
# {what} Written by mmwsss, plan.json says why.
# Change what you like: `mmwsss fit` keeps it, tools/train.py runs it.
'''
_WHERE = '''\
# "{{{{ fileDirname }}}}" is this folder: it may be moved, renamed or copied.
'''
_DATA = _HEAD + _WHERE + '''\
classes = dict(
    classes={classes},
    palette={palette})
photos = dict(
    type='ImageLevelDataset',
    metainfo=classes,
    data_root={folder},
    data_prefix=dict(img_path=''),
    label_source={label_source})
learned_list = {train_list}
held_out_list = {val_list}
'''
_LOCALIZER = _HEAD + '''\
_base_ = [{base!r},
          'data.py']
data_root = _base_.photos.data_root
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='mmpretrain.RandomResizedCrop', scale={input_side},
         crop_ratio_range=(0.2, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(
    batch_size={batch_size}, num_workers={workers}, {persistent}dataset=dict(
        _base_.photos, _delete_=True, ann_file=_base_.learned_list,
        pipeline=train_pipeline))
{validation}model = dict(backbone=dict(pretrained={pretrained}))
train_cfg = dict(max_epochs={localizer_epochs}, val_interval={val_interval})
localize_workers = {workers}
max_side = {max_side}
lenient = {lenient}
'''
_VALIDATION = '''\
val_dataloader = dict(
    num_workers={workers}, {persistent}dataset=dict(
        _base_.photos, _delete_=True, ann_file=_base_.held_out_list,
        pipeline=_base_.localize_pipeline, test_mode=True))
default_hooks = dict(checkpoint=dict(interval={val_interval}))
'''
_NO_VALIDATION = '''\
val_dataloader = val_cfg = val_evaluator = None  # too few photos
default_hooks = dict(checkpoint=dict(interval={val_interval}, save_best=None))
'''
_AFFINITY = _HEAD + '''\
_base_ = [{base!r},
          'data.py']
data_root = _base_.photos.data_root
maps = {maps}
train_dataloader = dict(
    batch_size={batch_size}, num_workers={workers}, {persistent}dataset=dict(
        _base_.photos, _delete_=True, ann_file=_base_.learned_list, maps=maps,
        pipeline=_base_.train_pipeline))
val_list = _base_.held_out_list
model = dict(backbone=dict(vit=dict(pretrained={pretrained})))
train_cfg = dict(max_epochs={affinity_epochs})
localize_workers = {workers}
max_side = {max_side}
lenient = {lenient}
'''
_SEGMENTOR = _HEAD + '''\
_base_ = [{base!r},
          'data.py']
data_root = _base_.photos.data_root
pseudo_masks = {masks}
train_dataloader = dict(
    batch_size={batch_size}, num_workers={workers}, {persistent}dataset=dict(
        _delete_=True, type='PseudoMaskDataset', metainfo=_base_.classes,
        masks=pseudo_masks, data_root=data_root,
        data_prefix=dict(img_path=''), ann_file=_base_.learned_list,
        pipeline=_base_.train_pipeline))
val_dataloader = val_cfg = val_evaluator = None  # there are no true masks
test_dataloader = dict(
    num_workers={workers}, {persistent}dataset=dict(
        _delete_=True, type='PhotoFolder', metainfo=_base_.classes,
        data_root=data_root, data_prefix=dict(img_path=''),
        ann_file=_base_.{tested}, pipeline=_base_.test_pipeline))
test_evaluator = dict(format_only=True)
model = dict(backbone=dict(pretrained={pretrained}))
train_cfg = dict(max_iters={segmentor_iterations})
default_hooks = dict(checkpoint=dict(interval={save_interval}))
max_side = {max_side}
lenient = {lenient}
'''
BASES = dict(localizer='mctformer_plus_deit-tiny_voc.py',
             affinity='irn_deit-tiny_voc.py',
             segmentor='largefov_deit-tiny_voc.py')
"""The shipped config that each inherits."""


def shipped_configs() -> str:
    """The folder of the shipped configs, of a checkout or an installation.

    Raises:
        FileNotFoundError: If neither has them.
    """
    package = osp.dirname(osp.dirname(osp.abspath(__file__)))
    for folder in (osp.join(package, '.mim', 'configs'),
                   osp.join(osp.dirname(package), 'configs')):
        if osp.isfile(osp.join(folder, BASES['localizer'])):
            return folder
    raise FileNotFoundError(f'no configs beside {package}; install mmwsss '
                            'again')


def plan_configs(choices: Dict[str, Any], folder: str) -> Dict[str, str]:
    """The text of every config of a plan.

    Args:
        choices (dict): What was chosen, by name; see
            :func:`mmwsss.apis.planning.plan`.
        folder (str): The run's folder, absolute.

    Returns:
        dict[str, str]: By the name of its file in the folder.
    """
    shipped = shipped_configs()
    held_out = choices['held_out'] > 0
    workers = choices['workers']
    epochs = choices['localizer_epochs']
    last = 'affinity_train' if choices['affinity'] else 'pseudo_train'
    values = dict(
        dict(lenient=False) | choices,  # older plans do not have it
        persistent='' if workers else 'persistent_workers=False,\n    ',
        folder=_place(choices['folder'], folder),
        pretrained=_place(choices['weights'], folder),
        val_interval=max(1, epochs // 10),
        save_interval=max(1, choices['segmentor_iterations'] // 5),
        maps=_place(osp.join(folder, 'pseudo_train', 'maps'), folder),
        masks=_place(osp.join(folder, last, 'masks'), folder),
        train_list=_place(osp.join(folder, 'train.txt'), folder),
        val_list=_place(osp.join(folder, 'val.txt') if held_out else None,
                        folder),
        tested='held_out_list' if held_out else 'learned_list')
    values['validation'] = (_VALIDATION if held_out
                            else _NO_VALIDATION).format(**values)
    texts = dict(localizer=_LOCALIZER, segmentor=_SEGMENTOR)
    whats = dict(localizer='Learns what is where from the tags.',
                 segmentor='Learns to segment from pseudo masks.',
                 affinity='Learns from maps where objects end.')
    if choices['affinity']:
        texts['affinity'] = _AFFINITY
    written = {
        f'{name}.py': text.format(**dict(
            values, what=whats[name], base=osp.join(shipped, BASES[name])))
        for name, text in texts.items()}
    written['data.py'] = _DATA.format(**dict(
        values, what='Your photos and classes.',
        label_source=_labels(choices['label_source'], folder),
        **{name: _laid_out(choices[name]) for name in ('classes', 'palette')}))
    return written


def _place(path: Optional[str], folder: str) -> str:
    """A path as it stands in a config of the folder.

    What lies in the folder, or near it, is found from there on, so that all
    of it may be moved together.
    """
    # The folder's name will stand between the quotes as it is.
    if path is None or '://' in path or '"' in folder:
        return repr(path)
    near = near_path(path, folder)
    if osp.isabs(near):
        return repr(path)
    return f'"{_HERE}/{json.dumps(near, ensure_ascii=False)[1:-1]}"'


def _labels(source: Dict[str, Any], folder: str) -> str:
    """What reads the tags, as it stands in a config of the folder."""
    arguments = [f'{name}={_place(value, folder)}' if name == 'file' else
                 f'{name}={value!r}' for name, value in source.items()]
    return f'dict({", ".join(arguments)})'


def _laid_out(value: Any) -> str:
    """A value over as many lines as it takes, as it stands in a config."""
    text = pprint.pformat(value, width=62, compact=True, sort_dicts=False)
    return text.replace('\n', '\n            ')
