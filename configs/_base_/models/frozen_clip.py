# What WeCLIP (CVPR 2024) and ExCEL (CVPR 2025) share: a light decoder on a
# frozen CLIP, trained on crops of 320 px. Numbers: their published codes,
# which normalise photos as ImageNet's are, too.
_base_ = 'clip_vit-b.py'
model = dict(
    type='FrozenCLIPSegmentor',
    data_preprocessor=dict(pad_val=0, seg_pad_val=255, size=(320, 320)),
    fusion=dict(type='TokenFusion', channels=256, dropout=0.1),
    decode_head=dict(type='TransformerHead', in_channels=256, num_layers=3,
                     num_heads=8),
    radius=8,
    colour_rounds=20,
    loss_weights=dict(seg=1.0, affinity=0.1),
    test_cfg=dict(scales=(1.0, ), flip=False, background=0.5))
tta_model = dict(type='WSSSegTTA', pool='mean')
