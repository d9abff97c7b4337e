from .formatting import PackImageLevelInputs
from .loading import LoadPhoto
from .maps import ConfidentLabels, LoadMaps
from .masks import LoadMaskIfAny
from .views import PhotometricView

__all__ = [
    'ConfidentLabels', 'LoadMaps', 'LoadMaskIfAny', 'LoadPhoto',
    'PackImageLevelInputs', 'PhotometricView'
]
