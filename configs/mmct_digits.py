# MMCT from scratch on DigitScenes: a few minutes on two CPU cores. The scenes
# have no photos' statistics and no pre-trained weights; settings were chosen
# on their validation split.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/digit_scenes_cls.py',
    '_base_/generation.py', '_base_/schedules/adamw_epochs.py'
]
model = dict(
    type='MMCT',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor', bgr_to_rgb=True, size_divisor=8,
        **_base_.digits_statistics),
    backbone=dict(
        type='ClassTokenViT',
        num_classes=10,
        img_size=64,
        patch_size=8,
        patch_cfg=dict(conv_type='mmwsss.ConvStem'),
        arch=dict(embed_dims=96, num_layers=4, num_heads=3,
                  feedforward_channels=192)),
    # A digit's name says nothing of its shape, so these tokens are learned.
    textual_tokens=dict(text_embeddings='learned'),
    visual_context=dict(last_layers=2),
    patch_head=dict(decay=0.996),
    contrast=dict(),
    # Attention learned from scratch is too flat to refine maps with.
    test_cfg=dict(attention_layers=4, affinity_layers=0, fusion='fused',
                  scales=(1.0, 1.5), flip=False))

train_cfg = dict(max_epochs=22, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
# Two epochs to warm up, and more to train.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=True, begin=0, end=2,
         convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', by_epoch=True, begin=2,
         convert_to_iter_based=True),
]
