from .cam_labels import cam_labels, competing_labels, refined_labels
from .class_aware_affinity import (
    box_mask,
    class_aware_affinity,
    select_attention,
    sinkhorn,
    transition_matrix,
)
from .dense_crf import dense_crf, unary_from_labels, unary_from_probabilities
from .feature_surgery import (
    attribute_prototypes,
    feature_surgery,
)
from .gwrp import gwrp
from .label_doubt import label_doubt, most_doubtful
from .min_max import min_max
from .normalized_cut import normalized_cuts
from .permutohedral import PermutohedralLattice
from .pixel_adaptive_refinement import pixel_adaptive_refinement
from .pixel_localization import (
    PixelScores,
    pixel_histogram,
    pixel_scores,
    pixel_thresholds,
)
from .pixel_pairs import feature_affinity
from .random_walk import affinity_walk, random_walk
from .segment_vote import Segments, segment_vote
from .threshold_sweep import SweepResult, sweep_histogram, threshold_sweep

__all__ = [
    'PermutohedralLattice', 'PixelScores', 'Segments', 'SweepResult',
    'affinity_walk', 'attribute_prototypes', 'box_mask', 'cam_labels',
    'class_aware_affinity', 'competing_labels', 'dense_crf',
    'feature_affinity', 'feature_surgery', 'gwrp', 'label_doubt',
    'min_max', 'most_doubtful', 'normalized_cuts',
    'pixel_adaptive_refinement', 'pixel_histogram', 'pixel_scores',
    'pixel_thresholds', 'random_walk', 'refined_labels', 'segment_vote',
    'select_attention', 'sinkhorn', 'sweep_histogram', 'threshold_sweep',
    'transition_matrix', 'unary_from_labels', 'unary_from_probabilities'
]
