from .afa import AFA
from .frozen_clip import FrozenCLIPSegmentor
from .paired_clip import PairedCLIPSegmentor
from .patch_token_cam import PatchTokenCAM
from .single_stage import SingleStage
from .toco import ToCo
from .wsss_tta import WSSSegTTA

__all__ = [
    'AFA', 'FrozenCLIPSegmentor', 'PairedCLIPSegmentor', 'PatchTokenCAM',
    'SingleStage', 'ToCo', 'WSSSegTTA'
]
