from .affinity_displacement import AffinityDisplacementLoss
from .balanced_cross_entropy import BalancedCrossEntropy
from .class_token_contrast import ClassTokenContrast
from .crop_token_contrast import CropTokenContrast
from .dense_energy import DenseEnergyLoss
from .pair_affinity import PairAffinityLoss
from .patch_token_contrast import PatchTokenContrast

__all__ = [
    'AffinityDisplacementLoss', 'BalancedCrossEntropy', 'ClassTokenContrast',
    'CropTokenContrast', 'DenseEnergyLoss', 'PairAffinityLoss',
    'PatchTokenContrast'
]
