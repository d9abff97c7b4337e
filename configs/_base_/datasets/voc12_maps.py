# PASCAL VOC 2012 with the maps of a localizer: learned affinity is trained on
# confident labels made from them, and applied to them. True masks are used
# for scores only.
data_root = 'data/VOCdevkit/VOC2012'
maps = 'work_dirs/mmct_voc/pseudo/train/maps'
label_cache = 'work_dirs/confident_labels'
score_classes = 'all'

# IRN's CRF on labels; the backgrounds are its thresholds of sure classes and
# of sure background (IRN, section 5.1; published code).
confident_labels = dict(
    type='ConfidentLabels',
    foreground=dict(type='DenseCRF', background=0.30, unary='labels',
                    gt_prob=0.7, bilateral_sxy=50, bilateral_srgb=5),
    background=dict(type='DenseCRF', background=0.05, unary='labels',
                    gt_prob=0.7, bilateral_sxy=50, bilateral_srgb=5),
    cache=label_cache)
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadMaps'),
    confident_labels,
    dict(type='mmseg.RandomResize', scale=(500, 500), ratio_range=(0.5, 1.5),
         keep_ratio=True),
    dict(type='mmseg.RandomCrop', crop_size=(512, 512)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.PackSegInputs'),
]
localize_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadMaps'),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VOC12ClsDataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        ann_file='ImageSets/Segmentation/train_aug.txt',
        label_source=dict(type='NpyLabels', file='cls_labels.npy'),
        maps=maps,
        pipeline=train_pipeline))
# tools/gen_pseudo.py --split val; nothing is validated in training.
val_list = 'ImageSets/Segmentation/val.txt'
