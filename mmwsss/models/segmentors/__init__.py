from .toco import ToCo

__all__ = ['ToCo']
