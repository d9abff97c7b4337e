# ToCo on ViT-L/16 (the paper's dagger rows start from ImageNet-21k weights:
# give such a checkpoint in timm's layout).
_base_ = 'toco_voc.py'
pretrained = 'data/vit_large_patch16_224_in21k.pth'
model = dict(backbone=dict(arch='large', pretrained=pretrained))
