"""Small affinity networks and their samples."""
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

PREPROCESSOR = dict(type='mmseg.SegDataPreProcessor')


def taps(**kwargs):
    """A tiny ViT with four taps."""
    vit = dict(type='TokenViT', img_size=64, patch_size=16,
               out_indices=(0, 1, 2, 3),
               arch=dict(embed_dims=32, num_layers=4, num_heads=2,
                         feedforward_channels=64))
    return dict(type='ViTTaps', vit=vit, detail_channels=16, **kwargs)


def sample(image_labels=None, maps=None, labels=()):
    """A sample with labels of its pixels, or with maps to refine."""
    result = SegDataSample()
    if image_labels is not None:
        result.gt_sem_seg = PixelData(data=image_labels[None])
    if maps is not None:
        result.set_field(PixelData(data=maps,
                                   metainfo=dict(labels=list(labels))),
                         'seed_maps')
    return result
