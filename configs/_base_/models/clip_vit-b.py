# CLIP's ViT-B/16, frozen.
_base_ = 'imagenet_preprocessor.py'
pretrained = 'https://huggingface.co/openai/clip-vit-base-patch16/resolve/main/pytorch_model.bin'  # noqa: E501
num_classes = 20
model = dict(
    backbone=dict(type='CLIPViT', arch='base', img_size=224,
                  pretrained=pretrained),
    num_classes=num_classes)
