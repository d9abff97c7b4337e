# ExCEL (CVPR 2025) on MS COCO 2014. Numbers: its published code.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/coco14_frozen_clip.py',
    '_base_/generation.py', '_base_/models/excel.py',
    '_base_/schedules/frozen_clip.py', '_base_/texts/coco14.py'
]
num_classes = 80
text_attributes = 'data/attributes_coco14.json'
text_clusters = 224
text_embeddings = 'data/text_embeddings_excel_coco14.npz'
model = dict(
    num_classes=num_classes,
    class_evidence=dict(
        text_embeddings=text_embeddings, background=_base_.background_words,
        classes_of='COCO14ClsDataset'),
    spread=dict(threshold=0.88, layers=6),
    refine_after=30000,
    calibrate_after=30000)
tta_pipeline = _base_.square_views
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [dict(_base_.param_scheduler[0], warmup_iters=200)]
train_cfg = dict(max_iters=100000, val_interval=5000)
default_hooks = dict(checkpoint=dict(interval=5000))
