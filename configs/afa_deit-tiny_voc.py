# AFA for a laptop: affinity instead of the contrasts, with the data and the
# schedule of toco_deit-tiny_voc.py. The published numbers are in afa_voc.py.
_base_ = 'toco_deit-tiny_voc.py'
model = dict(
    # Of ToCo's model only what both share.
    _delete_=True,
    type='AFA',
    data_preprocessor={{_base_.model.data_preprocessor}},
    backbone={{_base_.model.backbone}},
    aux_layer={{_base_.model.aux_layer}},
    num_classes={{_base_.model.num_classes}},
    decode_head={{_base_.model.decode_head}},
    attention_affinity=dict(num_layers=2, radius=4, power=2., warmup=250),
    energy_loss={{_base_.model.energy_loss}},
    thresholds={{_base_.model.thresholds}},
    loss_weights=dict(seg=0.1, energy=0.05),
    test_cfg=dict(scales=(1.0, ), flip=True, maps='affinity', background=0.5))
val_evaluator = [
    *_base_.single_stage_evaluators[:2],
    dict(_base_.mask_evaluator, prefix='affinity_cam',
         field='pred_affinity_cam'),
    _base_.single_stage_evaluators[2],
]
custom_hooks = [
    *_base_.common_hooks,
    dict(type='LateLossesHook', after=500,
         weights=dict(seg=0.1, energy=0.05, affinity=0.1)),
]
