"""Small single-stage networks and their samples."""
from functools import partial

import torch
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample

from mmwsss.models import AFA, ToCo

PREPROCESSOR = dict(
    type='mmseg.SegDataPreProcessor', mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375], bgr_to_rgb=True)


def network(method, embed=48, depth=4, heads=3, num_classes=4, img=64,
            **kwargs):
    arch = dict(embed_dims=embed, num_layers=depth, num_heads=heads,
                feedforward_channels=4 * embed)
    return method(
        dict(type='TokenViT', arch=arch, img_size=img), PREPROCESSOR,
        dict(type='LargeFOVHead'), num_classes=num_classes, **kwargs)


toco, afa = (partial(network, method) for method in (ToCo, AFA))


def sample(onehot, size, view=64):
    result = SegDataSample(metainfo=dict(img_shape=size, ori_shape=size))
    result.set_field(LabelData(label_onehot=torch.tensor(onehot)), 'gt_label')
    generator = torch.Generator().manual_seed(0)
    for name, shape in (('second_view', (view, view)), ('local_view', size)):
        result.set_field(torch.randint(0, 255, (3, *shape), generator=generator
                                       ).byte(), name)
    return result
