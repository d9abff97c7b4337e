# CLIP-ES's maps after its dense CRF; numbers: its published code. It leaves
# pixels below a probability of 0.95 out of the masks:
#   tools/gen_pseudo.py configs/clip_es_crf_voc.py --threshold 0.05 0.95
_base_ = 'clip_es_voc.py'
refiners = [
    dict(type='DenseCRF', alpha=1., iterations=10, gaussian_sxy=1,
         gaussian_compat=3, bilateral_sxy=67, bilateral_srgb=3,
         bilateral_compat=4)
]
