"""A data set of red and blue squares, and the configs of tiny runs on it."""
import glob
import json
import os
import os.path as osp

import numpy as np
from PIL import Image

from mmwsss.apis import load_config, train

ROOT = osp.dirname(osp.dirname(osp.abspath(__file__)))


def make_shapes(root, count=8, size=48):
    """Write photos, masks, list and labels; returns the folder as a string."""
    rng = np.random.default_rng(0)
    for folder in ('JPEGImages', 'SegmentationClassAug', 'lists'):
        os.makedirs(osp.join(root, folder))
    rows = ['image,labels']
    names = [f'img{i}' for i in range(count)]
    for i, name in enumerate(names):
        photo = rng.integers(90, 160, (size, size + 16, 3), dtype=np.uint8)
        mask = np.zeros(photo.shape[:2], dtype=np.uint8)
        y, x = rng.integers(4, size - 24, 2)
        mask[y:y + 20, x:x + 20] = 1 + i % 2
        photo[mask == 1] = (220, 30, 30)
        photo[mask == 2] = (30, 30, 220)
        Image.fromarray(photo).save(
            osp.join(root, 'JPEGImages', f'{name}.jpg'), quality=95)
        Image.fromarray(mask).save(
            osp.join(root, 'SegmentationClassAug', f'{name}.png'))
        rows.append(f'{name}.jpg,{("red", "blue")[i % 2]}')
    for name, content in (('lists/train.txt', names), ('labels.csv', rows)):
        with open(osp.join(root, name), 'w') as file:
            file.write('\n'.join(content) + '\n')
    return str(root)


CLASSES = dict(classes=('background', 'red', 'blue'),
               palette=[[0, 0, 0], [255, 0, 0], [0, 0, 255]])


def dataset_config(root, **kwargs):
    """Config of an ``ImageLevelDataset`` over :func:`make_shapes`."""
    config = dict(
        type='ImageLevelDataset',
        data_root=root,
        metainfo=CLASSES,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        ann_file='lists/train.txt',
        label_source=dict(type='TableLabels', file='labels.csv'),
        pipeline=[dict(type='LoadPhoto'), dict(type='PackImageLevelInputs')])
    config.update(kwargs)
    return config


def pseudo_mask_config(root, **kwargs):
    """Config of a ``PseudoMaskDataset`` over :func:`make_shapes`."""
    config = dict(
        type='PseudoMaskDataset',
        data_root=root,
        metainfo=CLASSES,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='lists/train.txt',
        masks=osp.join(root, 'SegmentationClassAug'),
        pipeline=[])
    config.update(kwargs)
    return config


def tiny_model(num_classes=2, **kwargs):
    """Config of an MMCT that trains in seconds."""
    config = dict(
        type='MMCT',
        data_preprocessor=dict(
            type='mmseg.SegDataPreProcessor',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            bgr_to_rgb=True,
            size_divisor=8),
        backbone=dict(
            type='ClassTokenViT', num_classes=num_classes, img_size=48,
            patch_size=8,
            arch=dict(embed_dims=32, num_layers=3, num_heads=2,
                      feedforward_channels=64)),
        textual_tokens=dict(text_embeddings='learned'),
        visual_context=dict(last_layers=2),
        patch_head=dict(decay=0.9),
        contrast=dict(type='ClassTokenContrast'),
        test_cfg=dict(attention_layers=2, affinity_layers=3))
    config.update(kwargs)
    return config


SHAPES_LOCALIZER = '''
_base_ = '{root}/configs/mmct_voc.py'
data_root = {data_root!r}
pretrained = ''
text_embeddings = 'learned'
shapes = dict(classes=('background', 'red', 'blue'),
              palette=[[0, 0, 0], [255, 0, 0], [0, 0, 255]])
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='mmpretrain.RandomResizedCrop', scale=48,
         crop_ratio_range=(0.5, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackImageLevelInputs'),
]
loader = dict(batch_size=4, num_workers=0, persistent_workers=False)
dataset = dict(type='ImageLevelDataset', data_root=data_root, metainfo=shapes,
               ann_file='lists/train.txt',
               label_source=dict(type='TableLabels', file='labels.csv'))
train_dataloader = dict(
    dataset=dict(pipeline=train_pipeline, **dataset), **loader)
val_dataloader = dict(dataset=dataset, num_workers=0, persistent_workers=False)
localize_workers = 0
refine_workers = 0
model = dict(
    data_preprocessor=dict(size_divisor=8),
    backbone=dict(
        num_classes=2, pretrained=None, img_size=48, patch_size=8,
        arch=dict(_delete_=True, embed_dims=32, num_layers=3, num_heads=2,
                  feedforward_channels=64)),
    textual_tokens=dict(text_embeddings='learned', classes_of=None),
    visual_context=dict(last_layers=2),
    patch_head=dict(decay=0.9),
    test_cfg=dict(attention_layers=2, affinity_layers=3))
train_cfg = dict(max_epochs=2)
optim_wrapper = dict(optimizer=dict(lr=5e-3))
'''


SHAPES_SEGMENTOR = '''
_base_ = '{root}/configs/largefov_deit-tiny_voc.py'
data_root = {data_root!r}
pseudo_masks = 'masks'
shapes = dict(classes=('background', 'red', 'blue'),
              palette=[[0, 0, 0], [255, 0, 0], [0, 0, 255]])
loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    batch_size=2,
    dataset=dict(_delete_=True, type='PseudoMaskDataset', metainfo=shapes,
                 masks=pseudo_masks, data_root=data_root,
                 data_prefix=dict(img_path='JPEGImages'),
                 ann_file='lists/train.txt',
                 pipeline={{{{_base_.train_pipeline}}}}),
    **loader)
val_dataloader = dict(
    dataset=dict(type='mmseg.BaseSegDataset', metainfo=shapes,
                 img_suffix='.jpg', data_root=data_root,
                 ann_file='lists/train.txt'), **loader)
test_dataloader = val_dataloader
model = dict(
    backbone=dict(
        pretrained=None, img_size=48, patch_size=8,
        arch=dict(_delete_=True, embed_dims=32, num_layers=2, num_heads=2,
                  feedforward_channels=64)),
    decode_head=dict(in_channels=32, channels=16, num_classes=3))
train_cfg = dict(max_iters=4, val_interval=4)
default_hooks = dict(checkpoint=dict(interval=4))
'''


def write_config(path, text, data_root):
    path.write_text(text.format(root=ROOT, data_root=data_root))
    return str(path)


AFFINITY = '''
_base_ = ['{root}/configs/{name}.py']
data_root = {data_root!r}
maps = {maps!r}
label_cache = {maps!r} + '_labels'
shapes = dict(classes=('background', 'red', 'blue'),
              palette=[[0, 0, 0], [255, 0, 0], [0, 0, 255]])
crf = dict(type='DenseCRF', unary='labels', bilateral_sxy=10)
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadMaps'),
    dict(type='ConfidentLabels', foreground=dict(background=0.6, **crf),
         background=dict(background=0.4, **crf), cache=label_cache),
    dict(type='mmseg.RandomCrop', crop_size=(48, 48)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.PackSegInputs'),
]
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False,
    dataset=dict(
        type='ImageLevelDataset', data_root=data_root, metainfo=shapes,
        ann_file='lists/train.txt', pipeline=train_pipeline, maps=maps,
        label_source=dict(type='TableLabels', file='labels.csv')))
val_list = 'lists/train.txt'
localize_workers = 0
refine_workers = 0
model = dict(
    data_preprocessor=dict(size=(48, 48)),
    backbone=dict(
        detail_channels=16, vit=dict(
            pretrained=None, img_size=48, patch_size=8,
            out_indices=(0, 1, 2, 3),
            arch=dict(_delete_=True, embed_dims=32, num_layers=4, num_heads=2,
                      feedforward_channels=64))),
    loss=dict(radius=3), test_cfg=dict(exp_times=5))
optim_wrapper = dict(optimizer=dict(lr=5e-3))
'''


def train_losses(config, work_dir, **options):
    """Losses of every iteration of a training run."""
    cfg = load_config(config, {'default_hooks.logger.interval': 1, **options},
                      str(work_dir))
    train(cfg)
    [path] = glob.glob(osp.join(str(work_dir), '*', 'vis_data',
                                'scalars.json'))
    with open(path) as file:
        rows = [json.loads(line) for line in file]
    return [{k: v for k, v in row.items() if k.startswith('loss')}
            for row in rows if 'loss' in row]


SHAPES_TOCO = """
_base_ = '{root}/configs/toco_deit-tiny_voc.py'
data_root = {data_root!r}
shapes = dict(classes=('background', 'red', 'blue'),
              palette=[[0, 0, 0], [255, 0, 0], [0, 0, 255]])
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='PhotometricView', to='second_view', crop_size=48),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(48, 48)),
    dict(type='PhotometricView', to='local_view', blur=0.5),
    dict(type='PackImageLevelInputs'),
]
loader = dict(num_workers=0, persistent_workers=False)
dataset = dict(type='ImageLevelDataset', data_root=data_root, metainfo=shapes,
               ann_file='lists/train.txt',
               label_source=dict(type='TableLabels', file='labels.csv'))
train_dataloader = dict(
    batch_size=4, dataset=dict(pipeline=train_pipeline, **dataset), **loader)
val_dataloader = dict(dataset=dataset, **loader)
test_dataloader = dict(
    dataset=dict(type='mmseg.BaseSegDataset', metainfo=shapes,
                 img_suffix='.jpg', data_root=data_root,
                 ann_file='lists/train.txt'), **loader)
localize_workers = 0
refine_workers = 0
model = dict(
    num_classes=2, crop_size=16,
    data_preprocessor=dict(size=(48, 48)),
    backbone=dict(
        pretrained=None, img_size=48, patch_size=8,
        arch=dict(_delete_=True, embed_dims=32, num_layers=4, num_heads=2,
                  feedforward_channels=64)),
    decode_head=dict(channels=16),
    projection=dict(hidden_channels=16, out_channels=8))
train_cfg = dict(max_iters=30, val_interval=30)
optim_wrapper = dict(optimizer=dict(lr=1e-3),
                     paramwise_cfg=dict(new_lr_mult=2.0))
param_scheduler = [
    dict(type='PolyWarmupLR', warmup_iters=3, warmup_ratio=1e-6,
         by_epoch=False)]
default_hooks = dict(checkpoint=dict(interval=30))
custom_hooks = [
    dict(type='NonFiniteLossHook'),
    dict(type='LateLossesHook', after=9, weights=dict(seg=0.5, energy=0.05)),
]
"""
