# MCTformer-V2 (CVPR 2022): class tokens and a patch head with average pooling;
# maps are the product of attention and patch map.
_base_ = 'mctformer_plus_voc.py'
model = dict(patch_head=dict(decay=1.), contrast=None,
             test_cfg=dict(fusion='product'))
