# DeepLab-V1 (LargeFOV) on ResNet38d, as MMCT trains it (supplement A).
_base_ = 'encoder_decoder.py'
# Weights of the classifier configs/r38d_cls_voc.py.
pretrained = 'work_dirs/r38d_cls_voc/epoch_15.pth'
model = dict(
    data_preprocessor=dict(size=(321, 321)),
    backbone=dict(type='mmwsss.ResNet38d', pretrained=pretrained),
    decode_head=dict(
        type='mmwsss.DeepLabV1Head',
        in_channels=4096,
        in_index=2,
        channels=512,
        dilation=12,
        num_classes=21,
        align_corners=False))
# The largest probability over the scales (supplement A).
tta_model = dict(type='WSSSegTTA', pool='max')
