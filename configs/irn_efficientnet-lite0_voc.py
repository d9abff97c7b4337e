# IRN on the taps of a CNN of timm's, for a laptop. `pretrained` may also be
# the localizer's own checkpoint.
_base_ = 'irn_deit-tiny_voc.py'
pretrained = 'data/efficientnet_lite0.pth'
maps = 'work_dirs/cam_efficientnet-lite0_voc/pseudo/train/maps'
model = dict(
    data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3),
    # Strides 4 (the stem, averaged), 4, 8, 16, 16: those of IRN's ResNet50.
    backbone=dict(_delete_=True, type='TIMMTaps',
                  model_name='tf_efficientnet_lite0', output_stride=16,
                  frozen_stages=4, pretrained=pretrained))
train_dataloader = dict(dataset=dict(maps=maps))
