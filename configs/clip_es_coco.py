# CLIP-ES (CVPR 2023) on COCO 2014: no training.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/coco14_cls.py',
    '_base_/generation.py', '_base_/models/clip_es.py',
    '_base_/texts/coco14.py'
]
num_classes = 80
model = dict(
    class_evidence=dict(
        text_embeddings=_base_.text_embeddings,
        background=_base_.background_words, classes_of='COCO14ClsDataset'),
    num_classes=num_classes,
    spread=dict(threshold=0.7, layers=8))
