from .augmented_views import TestTimeAug
from .formatting import PackImageLevelInputs
from .loading import LoadPhoto
from .maps import ConfidentLabels, LoadMaps
from .masks import LoadMask, LoadMaskIfAny
from .views import PhotometricView

__all__ = [
    'ConfidentLabels', 'LoadMaps', 'LoadMask', 'LoadMaskIfAny', 'LoadPhoto',
    'PackImageLevelInputs', 'PhotometricView', 'TestTimeAug'
]
