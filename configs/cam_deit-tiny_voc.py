# Class activation maps of a DeiT-tiny, with the data and the schedule of
# mmct_deit-tiny_voc.py: what a plain ViT reaches.
_base_ = 'mmct_deit-tiny_voc.py'
pretrained = 'https://dl.fbaipublicfiles.com/deit/deit_tiny_patch16_224-a1311bcf.pth'  # noqa: E501
model = dict(
    _delete_=True,
    type='CAMLocalizer',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size_divisor=16),
    backbone=dict(type='TokenViT', arch='deit-tiny', img_size=224,
                  pretrained=pretrained),
    num_classes=20,
    test_cfg=dict(scales=(1.0, ), flip=True))
