from .class_token_vit import ClassTokenViT, TokenFeatures
from .clip_vit import CLIPFeatures, CLIPViT
from .conv_stem import ConvStem
from .resnet38d import ResNet38d
from .taps import ResNetTaps, ViTTaps
from .timm_taps import TIMMTaps
from .token_vit import TokenViT

__all__ = [
    'CLIPFeatures', 'CLIPViT', 'ClassTokenViT', 'ConvStem', 'ResNet38d',
    'ResNetTaps', 'TIMMTaps', 'TokenFeatures', 'TokenViT', 'ViTTaps'
]
