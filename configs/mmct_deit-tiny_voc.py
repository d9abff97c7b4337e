# MMCT for a laptop: DeiT-tiny, 160 px, 10 epochs. The weights are DeiT's:
# https://github.com/facebookresearch/deit
_base_ = 'mmct_voc.py'

pretrained = 'https://dl.fbaipublicfiles.com/deit/deit_tiny_patch16_224-a1311bcf.pth'  # noqa: E501
model = dict(
    backbone=dict(arch='deit-tiny', pretrained=pretrained),
    # After so short a training many classes that are there still have
    # negative logits; see MMCT's patch_activation.
    test_cfg=dict(patch_activation='min_max'))

train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='mmpretrain.RandomResizedCrop', scale=160,
         crop_ratio_range=(0.2, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_epochs=10, val_interval=2)
