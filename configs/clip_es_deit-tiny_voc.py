# CLIP-ES without CLIP's weights: on a DeiT-tiny in CLIP's layout, whose text
# is a linear probe. benchmarks/clip_stand_in.py writes both files.
_base_ = 'clip_es_voc.py'
pretrained = 'work_dirs/clip_stand_in/clip.pth'
text_embeddings = 'work_dirs/clip_stand_in/text.npz'
model = dict(
    data_preprocessor=_base_.imagenet,
    backbone=dict(arch='deit-tiny', out_channels=192, activation='GELU',
                  pretrained=pretrained),
    class_evidence=dict(text_embeddings=text_embeddings))
