from .attention_affinity import AttentionAffinityHead
from .deeplab_v1_head import DeepLabV1Head
from .deeplab_v2_head import DeepLabV2Head
from .feature_affinity import FeatureAffinity
from .large_fov_head import LargeFOVHead
from .patch_gwrp_head import PatchGWRPHead
from .projection_head import ProjectionHead
from .text_grad_cam import TextGradCAM
from .text_surgery import TextSurgery
from .textual_tokens import TextualTokens
from .token_fusion import TokenFusion
from .transformer_head import TransformerHead
from .visual_context import VisualContext

__all__ = [
    'AttentionAffinityHead', 'DeepLabV1Head', 'DeepLabV2Head',
    'FeatureAffinity', 'LargeFOVHead', 'PatchGWRPHead', 'ProjectionHead',
    'TextGradCAM', 'TextSurgery', 'TextualTokens', 'TokenFusion',
    'TransformerHead', 'VisualContext'
]
