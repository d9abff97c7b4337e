from .attention_affinity import AttentionAffinityHead
from .deeplab_v1_head import DeepLabV1Head
from .deeplab_v2_head import DeepLabV2Head
from .large_fov_head import LargeFOVHead
from .patch_gwrp_head import PatchGWRPHead
from .projection_head import ProjectionHead
from .textual_tokens import TextualTokens
from .visual_context import VisualContext

__all__ = [
    'AttentionAffinityHead', 'DeepLabV1Head', 'DeepLabV2Head', 'LargeFOVHead',
    'PatchGWRPHead', 'ProjectionHead', 'TextualTokens', 'VisualContext'
]
