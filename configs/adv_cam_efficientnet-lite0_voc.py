# AdvCAM (CVPR 2021): tools/gen_pseudo.py takes the checkpoint that
# cam_efficientnet-lite0_voc.py trained; nothing more is learned.
_base_ = 'cam_efficientnet-lite0_voc.py'
model = dict(
    type='AdvCAM',
    # T, lambda and tau of the published code; xi: docs/comparison.md.
    test_cfg=dict(climb_steps=27, climb_size=0.008, restraint=7.,
                  restraint_threshold=0.5))
