# DeepLab-V1 (LargeFOV) on ResNet38d, as MMCT trains it (supplement A).
# Weights of the classifier configs/r38d_cls_voc.py.
pretrained = 'work_dirs/r38d_cls_voc/epoch_15.pth'
model = dict(
    type='mmseg.EncoderDecoder',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(321, 321)),
    backbone=dict(type='ResNet38d', pretrained=pretrained),
    decode_head=dict(
        type='DeepLabV1Head',
        in_channels=4096,
        in_index=2,
        channels=512,
        dilation=12,
        num_classes=21,
        align_corners=False),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
# The largest probability over the scales (supplement A).
tta_model = dict(type='WSSSegTTA', pool='max')
