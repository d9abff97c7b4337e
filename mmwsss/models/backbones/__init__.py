from .class_token_vit import ClassTokenViT, TokenFeatures
from .token_vit import TokenViT

__all__ = ['ClassTokenViT', 'TokenFeatures', 'TokenViT']
