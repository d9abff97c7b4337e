from .class_token_contrast import ClassTokenContrast

__all__ = ['ClassTokenContrast']
