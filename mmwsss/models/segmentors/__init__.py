from .afa import AFA
from .patch_token_cam import PatchTokenCAM
from .single_stage import SingleStage
from .toco import ToCo
from .wsss_tta import WSSSegTTA

__all__ = ['AFA', 'PatchTokenCAM', 'SingleStage', 'ToCo', 'WSSSegTTA']
