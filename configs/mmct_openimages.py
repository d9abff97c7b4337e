# MMCT on OpenImages30k: one class a photo, 100 classes, scored by PxAP.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/openimages_cls.py',
    '_base_/generation.py', '_base_/models/mmct_vit-b.py',
    '_base_/schedules/adamw_epochs.py'
]
# Names from the data set's classes.txt, see docs/data.md.
text_embeddings = 'data/text_embeddings_openimages.npz'
num_classes = 100
model = dict(
    backbone=dict(num_classes=num_classes),
    textual_tokens=dict(text_embeddings=text_embeddings, classes_of=None))

# As many iterations as on VOC; ours, not the paper's.
train_cfg = dict(max_epochs=20, val_interval=2)
map_stride = 4  # a quarter of the photo's size is still above 224
