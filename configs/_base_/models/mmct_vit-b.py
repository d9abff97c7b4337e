# MMCT (CVPR 2023): ViT-B/16 with DINO weights, one visual and one textual
# token a class.
_base_ = 'imagenet_preprocessor.py'
pretrained = 'https://dl.fbaipublicfiles.com/dino/dino_vitbase16_pretrain/dino_vitbase16_pretrain.pth'  # noqa: E501
text_embeddings = 'data/text_embeddings_voc12.npz'
num_classes = 20

model = dict(
    type='MMCT',
    data_preprocessor=dict(size_divisor=16),
    backbone=dict(
        type='ClassTokenViT',
        arch='base',
        img_size=224,
        num_classes=num_classes,
        hide_extra_tokens=True,  # ours, see docs/mmct.md
        pretrained=pretrained),
    textual_tokens=dict(
        text_embeddings=text_embeddings, classes_of='VOC12ClsDataset'),
    visual_context=dict(last_layers=6),  # paper, abstract
    patch_head=dict(decay=0.996),  # supplement A
    contrast=dict(),
    test_cfg=dict(
        attention_layers=6,  # supplement
        affinity_layers=12,  # supplement
        affinity_steps=1,
        fusion='fused',
        patch_activation='relu',
        scales=(1.0, ),
        flip=True))
