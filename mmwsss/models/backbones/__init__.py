from .class_token_vit import ClassTokenViT, TokenFeatures
from .conv_stem import ConvStem
from .token_vit import TokenViT

__all__ = ['ClassTokenViT', 'ConvStem', 'TokenFeatures', 'TokenViT']
