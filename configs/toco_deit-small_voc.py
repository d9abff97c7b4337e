# ToCo on DeiT-small/16.
_base_ = 'toco_voc.py'
pretrained = 'https://dl.fbaipublicfiles.com/deit/deit_small_patch16_224-cd65a155.pth'  # noqa: E501
model = dict(backbone=dict(arch='deit-small', pretrained=pretrained))
