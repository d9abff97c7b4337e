import glob
import os.path as osp

import pytest
from command_lines import run_tool
from shapes import ROOT

from mmwsss.apis import load_config
from mmwsss.apis.options import split_option
from mmwsss.apis.setting_checks import all_settings
from mmwsss.problems import ConfigError

WRONG = [
    'localize_batch_size=0', 'localize_batch_size=-2',
    'localize_batch_size=None', 'localize_batch_size=1.5',
    'localize_workers=-1', 'refine_workers=-1', 'map_stride=0',
    'map_stride=1.5', 'train_dataloader.batch_size=0',
    'val_dataloader.batch_size=None', 'train_dataloader.num_workers=-1',
    'train_cfg.max_epochs=0', 'train_cfg.max_epochs=-3',
    'train_cfg.val_interval=0', 'randomness.seed=-1', 'randomness.seed=0.5',
    'default_hooks.logger.interval=0', 'optim_wrapper.optimizer.lr=-1',
    'optim_wrapper.optimizer.lr=inf', 'optim_wrapper.optimizer.lr=None',
    'model.backbone.img_size=0',
    'model.backbone.patch_size=-8', 'train_pipeline.1.scale=-48',
    'train_dataloader.dataset.pipeline.1.scale=(0,48)',
    'model.data_preprocessor.size_divisor=0',
]


@pytest.mark.parametrize('option', WRONG)
def test_no_run_can_use_it(option, localizer_config, tmp_path):
    key, _, value = option.partition('=')
    with pytest.raises(ConfigError) as caught:
        load_config(localizer_config, dict([split_option(option)]))
    message = str(caught.value)
    assert message.startswith(f'--cfg-options {key}=') and 'give a' in message
    assert '\n' not in message


@pytest.mark.parametrize('name, hint', [
    ('Adamm', "(did you mean 'Adam'?)"), ('adamW', "(did you mean 'AdamW'?)"),
    ('torch.optim.NoSuchOne', '(known: ')])
def test_an_optimizer_that_is_not_there(name, hint, localizer_config):
    with pytest.raises(ConfigError) as caught:
        load_config(localizer_config, {'optim_wrapper.optimizer.type': name})
    assert f'unknown optimizer {name!r} {hint}' in str(caught.value)


@pytest.mark.parametrize('option', [
    'refine_workers=None', 'localize_workers=0', 'randomness.seed=None',
    'optim_wrapper.optimizer.lr=0', 'train_dataloader.batch_size=1',
    'train_pipeline.1.scale=(48,-1)', 'train_pipeline.1.scale=(48,64)',
    'model.backbone.img_size=(48,64)', 'map_dtype=float16'])
def test_a_run_can_use_it(option, localizer_config):
    load_config(localizer_config, dict([split_option(option)]))


def test_the_config_file_is_checked_as_well(localizer_config, tmp_path):
    path = tmp_path / 'child.py'
    path.write_text(f'_base_ = {localizer_config!r}\n'
                    'localize_batch_size = 0\n')
    with pytest.raises(ConfigError, match=f'config {path}: '
                       'localize_batch_size=0: give a whole number'):
        load_config(str(path))


@pytest.mark.parametrize('tool, more', [
    ('train', []), ('gen_pseudo', ['none.pth']), ('test', ['none.pth']),
    ('sweep', ['--grid', 'randomness.seed=0', '--metric', 'mAP']),
    ('run_pipeline', ['--work-dir', 'work']),
    ('compare', ['--work-dir', 'work']),
])
@pytest.mark.parametrize('option, message', [
    ('data_root', 'KEY=VALUE'), ('localize_batch_size=0', 'at least 1'),
    ('optim_wrapper.optimizer.lr=1e-3x', 'no number')])
def test_every_tool(tool, more, option, message, localizer_config, tmp_path,
                    monkeypatch):
    monkeypatch.chdir(tmp_path)
    stopped = run_tool(tool, localizer_config, *more, '--cfg-options', option)
    assert stopped.startswith('error: --cfg-options') and message in stopped
    assert '\n' not in stopped


@pytest.mark.parametrize('path', glob.glob(osp.join(ROOT, 'configs', '*.py')),
                         ids=osp.basename)
def test_our_configs_pass(path):
    load_config(path)


def test_names_of_settings():
    assert dict(all_settings(dict(a=[dict(b=1)]))) == {
        'a': [dict(b=1)], 'a.0': dict(b=1), 'a.0.b': 1}


@pytest.mark.parametrize('epochs', [1, 2, 3])
def test_a_training_that_ends_before_its_schedule_begins(epochs):
    config = osp.join(ROOT, 'configs', 'mmct_digits.py')
    given = {'train_cfg.max_epochs': epochs}
    if epochs > 2:  # two of them warm up
        assert load_config(config, given).train_cfg.max_epochs == epochs
        return
    with pytest.raises(ConfigError, match=f'max_epochs={epochs}: '
                       'param_scheduler.1 begins at 2; give at least 3'):
        load_config(config, given)
