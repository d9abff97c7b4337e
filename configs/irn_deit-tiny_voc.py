# IRN for a laptop: taps of a DeiT-tiny instead of ResNet50. `pretrained` may
# also be the localizer's own checkpoint.
_base_ = 'irn_voc.py'
pretrained = 'https://dl.fbaipublicfiles.com/deit/deit_tiny_patch16_224-a1311bcf.pth'  # noqa: E501
maps = 'work_dirs/mmct_deit-tiny_voc/pseudo/train/maps'
model = dict(
    data_preprocessor=dict(size=(256, 256)),
    backbone=dict(
        _delete_=True,
        type='ViTTaps',
        vit=dict(type='TokenViT', arch='deit-tiny', img_size=224,
                 out_indices=(2, 5, 8, 11), pretrained=pretrained)),
    # On photos of 320 px boundaries are thick: maps walk on a finer grid, and
    # nodes on boundaries have no say (docs/affinity.md has what this earns).
    test_cfg=dict(scale=1.5, skip_edges=True, exp_times=6))
# The thresholds fit MMCT's maps, which are brighter than CAMs: best alone at
# 0.53 on val.
confident_labels = dict(
    _base_.confident_labels,
    foreground=dict(_base_.label_crf, background=0.6),
    background=dict(_base_.label_crf, background=0.4))
train_pipeline = [
    *_base_.load_maps,
    confident_labels,
    dict(_base_.map_resize, scale=(320, 320), ratio_range=(0.75, 1.5)),
    dict(_base_.map_crop, crop_size=(256, 256)),
    *_base_.flip_and_pack,
]
train_dataloader = dict(
    batch_size=16, dataset=dict(maps=maps, pipeline=train_pipeline))
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=1e-4),
    paramwise_cfg=dict(_delete_=True))
