# MCTformer+ for a laptop: the settings of mmct_deit-tiny_voc.py.
_base_ = 'mmct_deit-tiny_voc.py'
model = dict(
    backbone=dict(hide_extra_tokens=False),
    textual_tokens=None,
    visual_context=None,
    test_cfg=dict(attention_layers=3))
