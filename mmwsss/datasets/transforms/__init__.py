from .formatting import PackImageLevelInputs
from .loading import LoadPhoto

__all__ = ['LoadPhoto', 'PackImageLevelInputs']
