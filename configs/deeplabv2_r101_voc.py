# DeepLab-V2 on ResNet101, the field's other standard, with the schedule that
# the field took over from the Caffe release: 20,000 iterations of 10 crops of
# 321 px, lr 2.5e-4, ten times for the pyramid.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_pseudo.py',
    '_base_/models/encoder_decoder.py', '_base_/schedules/iterations.py'
]
pretrained = 'https://download.pytorch.org/models/resnet101-63fe2227.pth'
model = dict(
    data_preprocessor=dict(size=(321, 321)),
    backbone=dict(
        type='mmwsss.ResNetTaps', depth=101, strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4), frozen_stages=-1, pretrained=pretrained),
    decode_head=dict(
        type='mmwsss.DeepLabV2Head',
        in_channels=2048,
        in_index=4,
        dilations=(6, 12, 18, 24),
        num_classes=21,
        align_corners=False))
tta_model = dict(type='WSSSegTTA', pool='max')
test_crf = dict(iterations=10, gaussian_sxy=1, gaussian_compat=3,
                bilateral_sxy=67, bilateral_srgb=3, bilateral_compat=4)
train_pipeline = [
    dict(step, ratio_range=(0.5, 1.5)) if step.type == 'mmseg.RandomResize'
    else step for step in _base_.train_pipeline
]
train_dataloader = dict(batch_size=10, dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=2.5e-4, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.))))
