# IRN on the taps of a CNN of timm's, for a laptop, learned from that CNN's
# class activation maps.
_base_ = 'irn_deit-tiny_voc.py'
pretrained = 'data/efficientnet_lite0.pth'
maps = 'work_dirs/cam_efficientnet-lite0_voc/pseudo/train/maps'
model = dict(
    data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3),
    # Strides 4 (the stem, averaged), 4, 8, 16, 16: those of IRN's ResNet50.
    backbone=dict(_delete_=True, type='TIMMTaps',
                  model_name='tf_efficientnet_lite0', output_stride=16,
                  frozen_stages=4, pretrained=pretrained))
# The thresholds that IRN has for CAMs.
confident_labels = dict(
    _base_.confident_labels,
    foreground=dict(_base_.label_crf, background=0.30),
    background=dict(_base_.label_crf, background=0.05))
train_pipeline = [
    *_base_.load_maps,
    confident_labels,
    dict(_base_.map_resize, scale=(320, 320), ratio_range=(0.75, 1.5)),
    dict(_base_.map_crop, crop_size=(256, 256)),
    *_base_.flip_and_pack,
]
train_dataloader = dict(dataset=dict(maps=maps, pipeline=train_pipeline))
