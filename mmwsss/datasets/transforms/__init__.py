from .formatting import PackImageLevelInputs
from .loading import LoadPhoto, photo_size, read_photo
from .maps import ConfidentLabels, LoadMaps

__all__ = [
    'ConfidentLabels', 'LoadMaps', 'LoadPhoto', 'PackImageLevelInputs',
    'photo_size', 'read_photo'
]
