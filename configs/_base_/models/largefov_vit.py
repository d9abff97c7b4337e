# DeepLab's LargeFOV head on the patch tokens of a ViT: two dilated 3x3
# convolutions and a classifier (DeepLab-V1; ToCo uses the same decoder with
# dilation 5 and 512 channels).
_base_ = 'encoder_decoder.py'
pretrained = 'https://dl.fbaipublicfiles.com/deit/deit_tiny_patch16_224-a1311bcf.pth'  # noqa: E501
model = dict(
    data_preprocessor=dict(size=(224, 224)),
    backbone=dict(
        type='mmwsss.TokenViT', arch='deit-tiny', img_size=224,
        pretrained=pretrained),
    decode_head=dict(
        type='mmseg.FCNHead',
        in_channels=192,
        channels=512,
        num_convs=2,
        kernel_size=3,
        dilation=5,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=21,
        norm_cfg=None,
        align_corners=False,
        loss_decode=dict(type='mmseg.CrossEntropyLoss')))
tta_model = dict(type='WSSSegTTA', pool='mean')
