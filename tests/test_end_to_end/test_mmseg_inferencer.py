"""Mmseg's own inferencer takes our segmentors' configs as they are."""
import os.path as osp

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.apis import MMSegInferencer
from shapes import ROOT

from mmwsss.registry import MODELS


@pytest.mark.parametrize('name', ['largefov_deit-tiny_voc.py',
                                  'deeplabv3_r18_digits.py'])
def test_a_segmentor_of_ours(name, tmp_path):
    config = tmp_path / 'own.py'
    config.write_text(f'_base_ = {osp.join(ROOT, "configs", name)!r}\n'
                      'model = dict(backbone=dict(pretrained=None))\n')
    cfg = Config.fromfile(config)
    model = MODELS.build(cfg.model)
    classes = [f'class {i}' for i in range(model.decode_head.num_classes)]
    meta = dict(classes=classes, palette=[[i, 0, 0] for i in range(
        len(classes))])
    torch.save(dict(state_dict=model.state_dict(),
                    meta=dict(dataset_meta=meta)), tmp_path / 'w.pth')
    photo = np.random.default_rng(0).integers(
        0, 255, (48, 64, 3), dtype=np.uint8)
    with DefaultScope.overwrite_default_scope('mmseg'):
        inferencer = MMSegInferencer(str(config), str(tmp_path / 'w.pth'),
                                     device='cpu', show_progress=False)
        mask = inferencer(photo)['predictions']
    assert mask.shape == (48, 64)
    assert list(inferencer.model.dataset_meta['classes']) == classes
    model.eval()
    data = dict(inputs=[torch.from_numpy(photo).permute(2, 0, 1)])
    with torch.no_grad():
        inputs = model.data_preprocessor(data, False)['inputs']
        logits = model.encode_decode(inputs, [dict(
            ori_shape=(48, 64), img_shape=(48, 64), pad_shape=(48, 64))])
    expected = logits[0].argmax(0).numpy()
    assert (mask == expected).mean() > 0.99
