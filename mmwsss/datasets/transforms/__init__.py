from .formatting import PackImageLevelInputs
from .loading import LoadPhoto, read_photo

__all__ = ['LoadPhoto', 'PackImageLevelInputs', 'read_photo']
