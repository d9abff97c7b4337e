from .patch_gwrp_head import PatchGWRPHead
from .textual_tokens import TextualTokens
from .visual_context import VisualContext

__all__ = ['PatchGWRPHead', 'TextualTokens', 'VisualContext']
