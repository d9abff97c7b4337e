# MCTformer+ (Xu et al., 2023): MMCT's visual tokens alone, maps from the last
# three layers' attention, as in its published code.
_base_ = 'mmct_voc.py'
model = dict(
    backbone=dict(hide_extra_tokens=False),
    textual_tokens=None,
    visual_context=None,
    test_cfg=dict(attention_layers=3))
