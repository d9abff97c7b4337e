"""Installation, configs and what they promise."""
import glob
import os.path as osp
import subprocess
import sys
import zipfile

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config

import mmwsss
from mmwsss.apis import ConfigError, load_config
from mmwsss.registry import MODELS

CONFIGS = sorted(glob.glob(osp.join(ROOT, 'configs', '*.py')))


def test_wheel_carries_configs_and_tools(tmp_path):
    subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--quiet',
         '--no-build-isolation', '-w', tmp_path, ROOT], check=True)
    [wheel] = glob.glob(str(tmp_path / 'mmwsss-*.whl'))
    names = zipfile.ZipFile(wheel).namelist()
    for path in CONFIGS + glob.glob(osp.join(ROOT, 'tools', '*.py')):
        assert f'mmwsss/.mim/{osp.relpath(path, ROOT)}' in names
    assert 'mmwsss/.mim/configs/_base_/default_runtime.py' in names
    assert 'mmwsss/ops/gwrp.py' in names


def test_installed_versions_are_tested_ones():
    assert mmwsss.untested_versions() == []


def test_untested_version_is_named(monkeypatch):
    monkeypatch.setitem(mmwsss.TESTED_VERSIONS, 'mmseg', ('0.1', '0.2'))
    [line] = mmwsss.untested_versions()
    assert line.startswith('mmseg 1.') and '0.1 to below 0.2' in line


@pytest.mark.parametrize('path', CONFIGS, ids=osp.basename)
def test_config_builds_its_model(path, tmp_path):
    cfg = load_config(path, work_dir=str(tmp_path))
    assert cfg.default_scope == 'mmwsss'
    model = cfg.model
    if model.get('textual_tokens') is not None:
        import numpy as np

        from mmwsss.datasets.class_prompts import CLASS_LISTS
        file = str(tmp_path / 'text.npz')
        names = list(CLASS_LISTS['coco80' if 'coco' in path else 'voc12'])
        np.savez(file, names=names, model='test', prompt='{}',
                 embeddings=np.eye(len(names), 96, dtype=np.float32))
        if model.textual_tokens.text_embeddings != 'learned':
            model.textual_tokens.text_embeddings = file
    # Sizes without the memory for them; mmpretrain's ResNet needs numbers.
    with torch.device('cpu' if 'irn' in path else 'meta'):
        assert MODELS.build(model).data_preprocessor is not None


def test_numbers_of_the_paper():
    cfg = Config.fromfile(osp.join(ROOT, 'configs', 'mmct_voc.py'))
    assert cfg.model.patch_head.decay == 0.996  # supplement A
    assert cfg.model.test_cfg.attention_layers == 6
    assert cfg.model.test_cfg.affinity_layers == 12
    assert cfg.model.test_cfg.fusion == 'fused'
    assert cfg.model.visual_context.last_layers == 6
    assert cfg.model.backbone.arch == 'base'
    assert 'dino_vitbase16' in cfg.model.backbone.pretrained
    assert cfg.default_hooks.checkpoint.save_best == 'multi-label/mAP'


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


def test_numbers_of_the_papers():
    def model(name):
        return Config.fromfile(osp.join(ROOT, 'configs', name)).model

    toco = Config.fromfile(osp.join(ROOT, 'configs', 'toco_voc.py'))
    assert toco.model.loss_weights == dict(ptc=0.2, ctc=0.5, seg=0.1,
                                           energy=0.05)
    assert toco.model.thresholds == (0.25, 0.7)
    assert toco.model.crop_contrast.temperature == 0.5
    assert toco.model.teacher_momentum == 0.9
    assert toco.optim_wrapper.optimizer.lr == 6e-5
    assert toco.optim_wrapper.optimizer.weight_decay == 1e-2
    assert toco.train_cfg.max_iters == 20000
    assert toco.train_dataloader.batch_size == 4
    [schedule] = toco.param_scheduler
    assert (schedule.warmup_iters, schedule.power) == (1500, 0.9)
    late = toco.custom_hooks[1]
    assert late.after == 2000 and late.weights.seg == 0.1

    irn = model('irn_voc.py')
    assert irn.loss.radius == 10
    assert irn.test_cfg == dict(radius=5, beta=10, exp_times=8)
    assert model('psa_voc.py').test_cfg == dict(alpha=16, radius=5, beta=8,
                                                exp_times=8)
