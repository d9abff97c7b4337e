from .large_fov_head import LargeFOVHead
from .patch_gwrp_head import PatchGWRPHead
from .projection_head import ProjectionHead
from .textual_tokens import TextualTokens
from .visual_context import VisualContext

__all__ = [
    'LargeFOVHead', 'PatchGWRPHead', 'ProjectionHead', 'TextualTokens',
    'VisualContext'
]
