# AFA for a laptop: affinity instead of the contrasts, with the data and the
# schedule of toco_deit-tiny_voc.py. The published numbers are in afa_voc.py.
_base_ = 'toco_deit-tiny_voc.py'
score_classes = 'all'
model = dict(
    attention_affinity=dict(num_layers=2, radius=4, power=2., warmup=250),
    loss_weights=dict(ptc=0., ctc=0.),
    test_cfg=dict(maps='affinity'))
val_evaluator = [
    dict(type='ClassSubsetIoU', prefix=prefix, field=field,
         iou_metrics=['mIoU'], classes=score_classes)
    for prefix, field in (('cam', 'pred_cam'), ('aux_cam', 'pred_aux_cam'),
                          ('affinity_cam', 'pred_affinity_cam'),
                          ('seg', 'pred_sem_seg'))
]
custom_hooks = [
    dict(type='NonFiniteLossHook'),
    dict(type='LateLossesHook', after=500,
         weights=dict(seg=0.1, energy=0.05, affinity=0.1)),
]
