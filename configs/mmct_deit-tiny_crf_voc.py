# The same localizer; its maps are refined by a dense CRF. Use it with
# tools/gen_pseudo.py and a checkpoint of mmct_deit-tiny_voc.py.
_base_ = 'mmct_deit-tiny_voc.py'
refiners = [dict(type='DenseCRF', background=0.4)]
