"""Configs and options, with mistakes found before anything starts."""
import os
import os.path as osp
import sys

import pytest
from command_lines import logged, run_tool
from shapes import AFFINITY, ROOT

from mmwsss.apis import config as config_module
from mmwsss.apis import load_config
from mmwsss.apis.config import READ_LATER, fitting_options
from mmwsss.apis.options import split_option
from mmwsss.problems import ConfigError


@pytest.fixture
def irn_config(shapes, tmp_path):
    path = tmp_path / 'irn.py'
    path.write_text(AFFINITY.format(
        root=ROOT, name='irn_deit-tiny_voc', data_root=shapes, maps='maps'))
    return str(path)


def options(*texts):
    return dict(map(split_option, texts))


def get(cfg, name):
    for part in name.split('.'):
        cfg = cfg[int(part)] if part.isdigit() else cfg[part]
    return cfg


@pytest.mark.parametrize('base, key, value, places', [
    ('mmct_voc', 'train_pipeline.1.scale', 100,
     ['train_dataloader.dataset.pipeline.1.scale']),
    ('mmct_voc', 'localize_pipeline.0.new', 'x',
     ['localize_pipeline.0.new']),
    ('irn_voc', 'confident_labels.cache', 'here',
     ['train_dataloader.dataset.pipeline.2.cache', 'train_pipeline.2.cache']),
    ('irn_voc', 'confident_labels.foreground.background', 0.4,
     ['train_dataloader.dataset.pipeline.2.foreground.background']),
    ('irn_voc', 'map_crop.crop_size', [100, 100],
     ['train_dataloader.dataset.pipeline.4.crop_size']),
    ('largefov_deit-tiny_voc', 'train_pipeline.3.prob', 0.1,
     ['train_dataloader.dataset.pipeline.3.prob']),
    ('toco_voc', 'mask_evaluator.iou_metrics', ['mDice'],
     ['test_evaluator.iou_metrics']),
])
def test_a_variable_reaches_what_was_made_of_it(base, key, value, places):
    path = osp.join(ROOT, 'configs', f'{base}.py')
    cfg = load_config(path, {key: value})
    for place in [key, *places]:
        assert get(cfg, place) == value
    # Nothing else of what is read has changed.
    for place in places:
        again = load_config(path, {place: value})
        for name in READ_LATER & set(cfg) - {place.split('.')[0]}:
            if not any(other.startswith(name) for other in [key, *places]):
                assert cfg[name] == again[name], name


@pytest.mark.parametrize('base, option, hint', [
    ('irn_voc', 'label_crf.gt_prob=0.8',
     'train_dataloader.dataset.pipeline.2.foreground.gt_prob'),
    ('irn_voc', 'voc12_train.ann_file=x', 'train_dataloader.dataset.ann_file'),
    ('mmct_voc', 'common_hooks.0.type=X', 'nothing in'),
    ('mmct_voc', 'num_classes=3', 'model.backbone.num_classes=5'),
    ('mmct_deit-tiny_voc', 'flag=True', 'nothing in'),
])
def test_a_variable_that_was_used_up(base, option, hint, tmp_path):
    path = osp.join(ROOT, 'configs', f'{base}.py')
    if option.startswith('flag'):
        child = tmp_path / 'child.py'
        child.write_text(f'_base_ = {path!r}\nflag = dict(a=1)\n'
                         'model = dict(test_cfg=dict(**flag))\n')
        path, option = str(child), 'flag.a=2'
        hint = 'model.test_cfg.a'
    with pytest.raises(ConfigError) as caught:
        load_config(path, options(option))
    message = str(caught.value)
    assert message.startswith('--cfg-options ') and hint in message
    assert '\n' not in message


def test_a_text_that_nothing_uses_is_named(localizer_config, tmp_path):
    path = tmp_path / 'child.py'
    path.write_text(f"_base_ = {localizer_config!r}\nonly_here = 'a'\n")
    with logged() as lines:
        load_config(str(path), dict(only_here='b'))
    assert any('only_here' in line and 'nowhere' in line for line in lines)


def test_an_empty_text_stands_for_itself_only(localizer_config, tmp_path):
    path = tmp_path / 'child.py'
    path.write_text(f"_base_ = {localizer_config!r}\npretrained = ''\n"
                    "note = ''\nmodel = dict(backbone=dict(pretrained=''))\n")
    cfg = load_config(str(path), dict(pretrained='w.pth'))
    assert cfg.model.backbone.pretrained == 'w.pth' and cfg.note == ''


def test_names_of_what_is_read():
    """What the apis take from a config is in the list of what is read."""
    import glob
    import re
    found = set()
    for path in glob.glob(osp.join(osp.dirname(config_module.__file__),
                                   '*.py')):
        with open(path) as file:
            text = file.read()
        found |= set(re.findall(r"\bcfg\.get\(\s*'(\w+)'", text))
        found |= set(re.findall(r"'(\w+)' (?:not )?in cfg\b", text))
    # The pipeline sets the first, the second is read with the file, the third
    # stands in the model, too.
    assert found - READ_LATER == {'label_cache', 'custom_imports',
                                  'background_words'}


@pytest.mark.parametrize('value', ['~/x', '~'])
@pytest.mark.parametrize('key', [
    'data_root', 'pretrained', 'load_from',
    'train_dataloader.dataset.ann_file',
    'val_dataloader.dataset.label_source.file', 'train_pipeline.0.folder'])
def test_home_in_every_text(key, value, localizer_config, monkeypatch):
    monkeypatch.setenv('HOME', '/h')
    cfg = load_config(localizer_config, options(f'{key}={value}'))
    assert get(cfg, key) == value.replace('~', '/h')


def test_home_in_the_file_itself(localizer_config, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    path = tmp_path / 'child.py'
    path.write_text(f"_base_ = {localizer_config!r}\nload_from = '~/w.pth'\n"
                    "data_root = '~/d'\nfiles = [('~/a', 'b~/c')]\n"
                    "work_dir = '~/w'\n"
                    'train_dataloader = dict(dataset=dict('
                    'data_root=data_root))\n')
    cfg = load_config('~/child.py')
    assert cfg.load_from == f'{tmp_path}/w.pth'
    assert cfg.train_dataloader.dataset.data_root == f'{tmp_path}/d'
    assert cfg.files == [(f'{tmp_path}/a', 'b~/c')]
    assert cfg.work_dir == f'{tmp_path}/w'
    assert load_config('~/child.py', work_dir='~/v').work_dir == (
        f'{tmp_path}/v')


def test_part_of_a_pair(localizer_config):
    with pytest.raises(ConfigError, match=r'give all of it, "model.test_cfg.'
                       r'scales=\(...\)"'):
        load_config(localizer_config, options('model.test_cfg.scales.0=2'))


def test_options_for_several_configs(localizer_config, segmentor_config,
                                     irn_config):
    paths = [localizer_config, segmentor_config, irn_config]
    given = options('train_pipeline.1.scale=32', 'label_cache=x',
                    'data_root=2012')
    loc, seg, irn = fitting_options(paths, given)
    assert loc == options('train_pipeline.1.scale=32', 'data_root=2012')
    assert 'label_cache' in irn and 'label_cache' not in seg
    for path, found in zip(paths, (loc, seg, irn)):
        assert load_config(path, found).data_root == '2012'


@pytest.mark.parametrize('option', ['photos=1', 'x.y=2', 'model.0=1',
                                    'train_pipeline.x=1', 'data_root.a=1'])
def test_mistakes_are_one_line(option, localizer_config):
    stopped = run_tool('train', localizer_config, '--cfg-options', option)
    assert stopped.startswith('error: ') and '\n' not in stopped


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


@pytest.fixture
def own_part(tmp_path, monkeypatch):
    """Writes a config that imports ``own_part``, and that module."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', list(sys.path))
    os.mkdir('configs')
    config = tmp_path / 'configs' / 'own.py'
    config.write_text(
        f"_base_ = {osp.join(ROOT, 'configs', 'cam_deit-tiny_voc.py')!r}\n"
        "custom_imports = dict(imports=['own_part'])\n")

    def write(text, folder='configs'):
        if text is not None:
            (tmp_path / folder / 'own_part.py').write_text(text + '\n')
        return str(config)
    yield write
    sys.modules.pop('own_part', None)


@pytest.mark.parametrize('folder', ['configs', '.'])
def test_own_parts_lie_beside_the_config_or_where_one_stands(own_part,
                                                             folder):
    load_config(own_part('imported = True', folder))
    assert sys.modules['own_part'].imported


@pytest.mark.parametrize('text, message', [
    (None, "custom_imports: no module 'own_part' beside the config"),
    ('import nothing_of_this_name', "No module named 'nothing_of_this_name'"),
    ('raise ValueError("no GPU")', 'ValueError: no GPU'),
])
def test_own_parts_that_cannot_be_imported(own_part, text, message):
    with pytest.raises(ConfigError) as caught:
        load_config(own_part(text))
    assert message in str(caught.value)
    assert '\n' not in str(caught.value)
