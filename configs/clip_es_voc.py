# CLIP-ES (CVPR 2023) on PASCAL VOC 2012: no training.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_cls.py',
    '_base_/generation.py', '_base_/models/clip_es.py',
    '_base_/texts/voc12.py'
]
model = dict(
    class_evidence=dict(
        text_embeddings=_base_.text_embeddings,
        background=_base_.background_words, classes_of='VOC12ClsDataset'),
    spread=dict(threshold=0.4, layers=8))
