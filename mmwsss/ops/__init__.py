from .cam_labels import cam_labels, refined_labels
from .dense_crf import dense_crf, unary_from_labels, unary_from_probabilities
from .gwrp import gwrp
from .label_doubt import label_doubt
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
    'affinity_walk', 'cam_labels', 'dense_crf', 'feature_affinity', 'gwrp',
    'label_doubt', 'min_max', 'normalized_cuts', 'pixel_adaptive_refinement',
    'pixel_histogram', 'pixel_scores', 'pixel_thresholds', 'random_walk',
    'refined_labels', 'segment_vote', 'sweep_histogram', 'threshold_sweep',
    'unary_from_labels', 'unary_from_probabilities'
]
