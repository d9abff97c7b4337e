from .formatting import PackImageLevelInputs
from .loading import LoadPhoto, photo_size, read_photo
from .maps import ConfidentLabels, LoadMaps
from .views import PhotometricView

__all__ = [
    'ConfidentLabels', 'LoadMaps', 'LoadPhoto', 'PackImageLevelInputs',
    'PhotometricView', 'photo_size', 'read_photo'
]
