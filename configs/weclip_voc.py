# WeCLIP (CVPR 2024) on PASCAL VOC 2012. Numbers: its published code.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_frozen_clip.py',
    '_base_/generation.py', '_base_/models/weclip.py',
    '_base_/schedules/frozen_clip.py', '_base_/texts/voc12.py'
]
model = dict(
    class_evidence=dict(
        text_embeddings=_base_.text_embeddings,
        background=_base_.background_words, classes_of='VOC12ClsDataset'),
    spread=dict(threshold=0.4, layers=8, selected_layers=6),
    refine_after=15000)
train_cfg = dict(max_iters=30000, val_interval=2000)
randomness = dict(seed=1)
