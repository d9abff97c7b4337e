# MMCT on MS COCO 2014: two tokens for each of 80 classes. docs/data.md has
# notes on memory.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/coco14_cls.py',
    '_base_/generation.py', '_base_/models/mmct_vit-b.py',
    '_base_/schedules/adamw_epochs.py'
]
num_classes = 80
text_embeddings = 'data/text_embeddings_coco80.npz'
model = dict(
    backbone=dict(num_classes=num_classes),
    textual_tokens=dict(
        text_embeddings=text_embeddings, classes_of='COCO14ClsDataset'))
