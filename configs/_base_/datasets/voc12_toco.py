# PASCAL VOC 2012 for single-stage training from image-level labels. Masks are
# used for scores only.
_base_ = ['voc12_cls.py', 'voc12_submission.py']
data_root = 'data/VOCdevkit/VOC2012'
score_classes = 'all'

train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='PhotometricView', to='second_view', crop_size=448, blur=0.1,
         solarize=0.2),
    # Half to twice the size of VOC's photos.
    dict(type='mmseg.RandomResize', scale=(500, 500), ratio_range=(0.5, 2.0),
         keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(448, 448)),
    dict(type='PhotometricView', to='local_view', blur=0.5),
    dict(type='PhotometricView', to='img', blur=1.0),
    dict(type='PackImageLevelInputs'),
]
val_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale=(448, 448), keep_ratio=False),
    dict(type='mmseg.LoadAnnotations', imdecode_backend='pillow'),
    dict(type='PackImageLevelInputs'),
]
test_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadMaskIfAny'),
    dict(type='mmseg.PackSegInputs'),
]
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale_factor=s, keep_ratio=True)
         for s in (1.0, 1.25, 1.5)],
        [dict(type='RandomFlip', prob=0.),
         dict(type='RandomFlip', prob=1.)],
        [dict(type='LoadMaskIfAny')],
        [dict(type='mmseg.PackSegInputs')],
    ]),
]
train_dataloader = dict(
    batch_size=4,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VOC12Dataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        ann_file='ImageSets/Segmentation/val.txt',
        pipeline=test_pipeline))
# The maps, the auxiliary maps and the decoder, side by side.
val_evaluator = [
    dict(type='ClassSubsetIoU', prefix='cam', field='pred_cam',
         iou_metrics=['mIoU'], classes=score_classes),
    dict(type='ClassSubsetIoU', prefix='aux_cam', field='pred_aux_cam',
         iou_metrics=['mIoU'], classes=score_classes),
    dict(type='ClassSubsetIoU', prefix='seg', field='pred_sem_seg',
         iou_metrics=['mIoU'], classes=score_classes),
]
test_evaluator = dict(
    type='ClassSubsetIoU', iou_metrics=['mIoU'], classes=score_classes)
