# How segmentors are tested: photo by photo, at its own size.
_base_ = '../evaluators.py'
test_pipeline = [
    dict(type='LoadImageFromFile'),  # the name that MMSegInferencer looks for
    dict(type='mmwsss.LoadMaskIfAny'),
    dict(type='mmseg.PackSegInputs'),
]
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=test_pipeline))
test_evaluator = _base_.mask_evaluator
