# The same localizer; its maps are refined by a dense CRF. Use it with
# tools/gen_pseudo.py and a checkpoint of mmct_deit-tiny_voc.py. The background
# score is the threshold at which the maps alone are best.
_base_ = 'mmct_deit-tiny_voc.py'
refiners = [
    dict(type='DenseCRF', background=0.53, unary='labels', gt_prob=0.7,
         bilateral_sxy=50, bilateral_srgb=5)
]
