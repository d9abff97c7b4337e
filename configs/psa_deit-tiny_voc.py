# PSA for a laptop: taps of a DeiT-tiny, and the data, labels and schedule of
# irn_deit-tiny_voc.py.
_base_ = 'irn_deit-tiny_voc.py'
model = dict(
    type='PSA',
    widths=(64, 64, 64, 64, 64),
    loss=dict(radius=5),
    # The threshold at which MMCT's maps alone are best, see docs/affinity.md.
    test_cfg=dict(_delete_=True, scale=1.5, background=0.53, radius=5, beta=8,
                  exp_times=8))
custom_hooks = _base_.common_hooks
