# What single-stage methods on a ViT share: ViT-B/16 with DeiT's ImageNet-1k
# weights, an auxiliary layer, a LargeFOV decoder. Numbers are ToCo's
# (CVPR 2023).
_base_ = 'imagenet_preprocessor.py'
pretrained = 'https://dl.fbaipublicfiles.com/deit/deit_base_patch16_224-b5f2ef4d.pth'  # noqa: E501
num_classes = 20
model = dict(
    data_preprocessor=dict(pad_val=0, seg_pad_val=255, size=(448, 448)),
    backbone=dict(type='TokenViT', arch='deit-base', img_size=224,
                  pretrained=pretrained),
    aux_layer=-3,  # section 4.1
    num_classes=num_classes,
    decode_head=dict(type='LargeFOVHead', dilation=5, channels=512),
    energy_loss=dict(sigma_rgb=15, sigma_xy=100, scale=0.5),  # its code
    thresholds=(0.25, 0.7),  # beta_l, beta_h, section 4.1
    # lambda_3, section 4.1; energy: its code
    loss_weights=dict(seg=0.1, energy=0.05),
    test_cfg=dict(scales=(1.0, 0.5, 1.5), flip=True, maps='cam',
                  background=0.5))
# The decoder has no gradient while the segmentation losses are off.
model_wrapper_cfg = dict(type='MMDistributedDataParallel',
                         find_unused_parameters=True)
tta_model = dict(type='WSSSegTTA', pool='max')
# Its code: smoothing and appearance of the CRF after the test.
test_crf = dict(iterations=10, gaussian_sxy=1, gaussian_compat=1,
                bilateral_sxy=121, bilateral_srgb=5, bilateral_compat=4)
