# WeCLIP (CVPR 2024) on MS COCO 2014. Numbers: its published code.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/coco14_frozen_clip.py',
    '_base_/generation.py', '_base_/models/weclip.py',
    '_base_/schedules/frozen_clip.py', '_base_/texts/coco14.py'
]
num_classes = 80
model = dict(
    num_classes=num_classes,
    class_evidence=dict(
        text_embeddings=_base_.text_embeddings,
        background=_base_.background_words, classes_of='COCO14ClsDataset'),
    spread=dict(threshold=0.7, layers=8, selected_layers=10),
    refine_after=40000)
train_cfg = dict(max_iters=80000, val_interval=4000)
default_hooks = dict(checkpoint=dict(interval=4000))
randomness = dict(seed=1)
