# WeCLIP with a second frozen encoder, after WeCLIP+ (TPAMI 2025): DINOv2's
# patch tokens beside CLIP's.
_base_ = 'weclip_voc.py'
model = dict(
    type='PairedCLIPSegmentor',
    second=dict(
        type='TokenViT', arch='base', img_size=518, patch_size=14,
        layer_scale_init_value=1e-5,
        pretrained='https://dl.fbaipublicfiles.com/dinov2/dinov2_vitb14/dinov2_vitb14_pretrain.pth'))  # noqa: E501
