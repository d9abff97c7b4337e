"""Configs and options, with mistakes found before anything starts."""
import os.path as osp

import pytest
from shapes import ROOT

from mmwsss.apis import load_config
from mmwsss.problems import ConfigError


def test_variable_changes_every_place_that_uses_it():
    cfg = load_config(osp.join(ROOT, 'configs', 'mmct_deit-tiny_voc.py'),
                      dict(data_root='/d', pretrained='w.pth',
                           text_embeddings='t.npz', score_classes=['dog']))
    assert cfg.train_dataloader.dataset.data_root == '/d'
    assert cfg.val_dataloader.dataset.data_root == '/d'
    assert cfg.model.backbone.pretrained == 'w.pth'
    assert cfg.model.textual_tokens.text_embeddings == 't.npz'
    assert cfg.val_evaluator.classes == ['dog']


@pytest.mark.parametrize('key, message', [
    ('data_rot', "unknown option 'data_rot' (did you mean 'data_root'?)"),
    ('max_epochs', "did you mean 'train_cfg.max_epochs'?"),
    ('model.backbon.arch', "did you mean 'backbone'?"),
    ('data_root.x', 'not a group of options'),
    ('param_scheduler.7.power', 'is a list of 1'),
])
def test_unknown_option(key, message):
    with pytest.raises(ConfigError) as caught:
        load_config(osp.join(ROOT, 'configs', 'mmct_voc.py'), {key: 1})
    assert message in str(caught.value)


def test_missing_and_broken_config(tmp_path):
    with pytest.raises(ConfigError, match='no such file'):
        load_config(str(tmp_path / 'none.py'))
    (tmp_path / 'broken.py').write_text('model = dict(\n')
    with pytest.raises(ConfigError, match='broken.py: SyntaxError'):
        load_config(str(tmp_path / 'broken.py'))
