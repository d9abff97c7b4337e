# MCTformer-V1 (CVPR 2022): class tokens alone; maps are their attention in the
# last three layers, refined by the patch affinity.
_base_ = 'mctformer_plus_voc.py'
model = dict(patch_head=None, contrast=None, test_cfg=dict(fusion='attention'))
