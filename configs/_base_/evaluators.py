# What is scored: `score_classes`, 'all' or a list of names, is what every
# reported mean is over.
score_classes = 'all'

label_evaluator = dict(type='MultiLabelMAP', classes=score_classes)
mask_evaluator = dict(
    type='ClassSubsetIoU', iou_metrics=['mIoU'], classes=score_classes)
# Of a single stage: the maps, the auxiliary maps and the decoder, side by
# side.
single_stage_evaluators = [
    dict(mask_evaluator, prefix='cam', field='pred_cam'),
    dict(mask_evaluator, prefix='aux_cam', field='pred_aux_cam'),
    dict(mask_evaluator, prefix='seg', field='pred_sem_seg'),
]
