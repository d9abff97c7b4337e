# Class activation maps of a DeiT-tiny, with the data and the schedule of
# mmct_deit-tiny_voc.py: what a plain ViT reaches.
_base_ = 'mmct_deit-tiny_voc.py'
pretrained = 'https://dl.fbaipublicfiles.com/deit/deit_tiny_patch16_224-a1311bcf.pth'  # noqa: E501
model = dict(
    _delete_=True,
    type='CAMLocalizer',
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=dict(type='TokenViT', arch='deit-tiny', img_size=224,
                  pretrained=pretrained),
    num_classes=20,
    test_cfg=dict(scales=(1.0, ), flip=True))
