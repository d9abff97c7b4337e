from .toco import ToCo
from .wsss_tta import WSSSegTTA

__all__ = ['ToCo', 'WSSSegTTA']
