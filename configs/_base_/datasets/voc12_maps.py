# PASCAL VOC 2012 with the maps of a localizer: learned affinity is trained on
# confident labels made from them, and applied to them. True masks are used
# for scores only.
_base_ = ['voc12.py', '../evaluators.py']
maps = 'work_dirs/mmct_voc/pseudo/train/maps'
label_cache = 'work_dirs/confident_labels'

# IRN's CRF on labels; the backgrounds are its thresholds of sure classes and
# of sure background (IRN, section 5.1; published code).
label_crf = dict(type='DenseCRF', unary='labels', gt_prob=0.7,
                 bilateral_sxy=50, bilateral_srgb=5)
confident_labels = dict(
    type='ConfidentLabels',
    foreground=dict(label_crf, background=0.30),
    background=dict(label_crf, background=0.05),
    cache=label_cache)
# The steps have names, so that a config with other labels or sizes lists them
# and says what differs.
load_maps = [dict(type='LoadPhoto'), dict(type='LoadMaps')]
map_resize = dict(type='mmseg.RandomResize', scale=(500, 500),
                  ratio_range=(0.5, 1.5), keep_ratio=True)
map_crop = dict(type='mmseg.RandomCrop', crop_size=(512, 512))
flip_and_pack = [
    dict(type='RandomFlip', prob=0.5), dict(type='mmseg.PackSegInputs')
]
train_pipeline = [
    *load_maps, confident_labels, map_resize, map_crop, *flip_and_pack
]
localize_pipeline = [*load_maps, dict(type='PackImageLevelInputs')]
train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(_base_.voc12_train, maps=maps, pipeline=train_pipeline))
# tools/gen_pseudo.py --split val; nothing is validated in training.
val_list = 'ImageSets/Segmentation/val.txt'
