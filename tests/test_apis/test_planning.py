import json
import os
import os.path as osp
from collections import namedtuple

import pytest
from tagged_photos import make_tagged_photos

from mmwsss.apis import load_config, plan
from mmwsss.apis.plan_words import chosen
from mmwsss.problems import ConfigError, DataError

NONE = dict(weights='none', device='cpu')


def test_every_choice_has_a_reason(tagged_folder, tmp_path):
    work_dir = str(tmp_path / 'run')
    made = plan(*tagged_folder, work_dir, **NONE)
    assert made.pop('notes') == []
    with open(osp.join(work_dir, 'plan.json')) as file:
        assert json.load(file) == made
    for name, choice in made['choices'].items():
        assert set(choice) == {'value', 'reason'}, name
        assert len(choice['reason']) > 5, name
    values = chosen(made)
    assert values['classes'] == ['background', 'dog', 'person']
    assert values['held_out'] == 3 == len(made['held_out'])
    assert sorted(os.listdir(work_dir)) == [
        'data.py', 'localizer.py', 'plan.json', 'segmentor.py', 'train.txt',
        'val.txt']
    lists = {name: open(osp.join(work_dir, f'{name}.txt')).read().split()
             for name in ('train', 'val')}
    assert sorted(lists['train'] + lists['val']) == sorted(made['photos'])
    assert lists['val'] == made['held_out']
    cfg = load_config(osp.join(work_dir, 'localizer.py'))
    assert cfg.train_cfg.max_epochs == values['localizer_epochs']


def test_a_dry_run_writes_nothing(tagged_folder, tmp_path):
    before = sorted(os.walk(tmp_path))
    made = plan(*tagged_folder, str(tmp_path / 'run'), dry_run=True, **NONE)
    assert made['seconds'] and sorted(os.walk(tmp_path)) == before


@pytest.mark.parametrize('option, message', [
    (dict(time_budget=1.), '--time-budget 1 s: too short'),
    (dict(device='tpu'), '--device tpu'),
    (dict(threshold=1.5), '--threshold 1.5'),
    (dict(threshold=40.), r"40.0: give one number in \[0, 1\), or 'auto'$"),
    (dict(threshold=(0.3, 0.5)), r"one number in \[0, 1\), or 'auto'$"),
    (dict(device='gpu'), '--device gpu: unknown; give cpu, cuda or cuda:1$'),
    (dict(val_share=1.), '--val-share 1.0'),
    (dict(weights='/no/where.pth'), 'where.pth')])
def test_options_that_cannot_be_followed(tagged_folder, tmp_path, option,
                                         message):
    with pytest.raises((ConfigError, FileNotFoundError), match=message):
        plan(*tagged_folder, str(tmp_path / 'run'), **dict(NONE, **option))
    assert not (tmp_path / 'run').exists()


def test_default_weights_that_cannot_be_fetched(tagged_folder, tmp_path,
                                                monkeypatch):
    def offline(source):
        raise FileNotFoundError(f'{source}: no network')
    monkeypatch.setattr('mmwsss.apis.planning.read_checkpoint', offline)
    monkeypatch.setattr('mmwsss.apis.planning.measure_costs', None)
    with pytest.raises(ConfigError, match='--weights FILE .*deit_tiny.*http'
                       '|deit_tiny') as error:
        plan(*tagged_folder, str(tmp_path / 'run'), device='cpu')
    assert '--weights' in str(error.value) and '\n' not in str(error.value)


def test_no_space_left(tagged_folder, tmp_path, monkeypatch):
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr('shutil.disk_usage',
                        lambda path: usage(10, 9, 100 << 20))
    with pytest.raises(ConfigError, match='0.6 GB are needed and 0.1 GB'):
        plan(*tagged_folder, str(tmp_path / 'run'), **NONE)


def test_three_photos(tmp_path, monkeypatch, tagged_folder):
    folder = make_tagged_photos(tmp_path / 'few', count=3)
    made = plan(*folder, str(tmp_path / 'run'), **NONE)
    values = chosen(made)
    assert values['held_out'] == 0 and values['batch_size'] == 1
    assert 'too few' in made['choices']['held_out']['reason']
    assert len(made['fingerprint']['hints']) == 2
    assert load_config(
        str(tmp_path / 'run' / 'localizer.py')).val_dataloader is None


def test_affinity_of_many_photos(tmp_path, tagged_folder):
    folder = make_tagged_photos(tmp_path / 'many', count=120)
    made = plan(*folder, str(tmp_path / 'run'), **NONE)
    assert chosen(made)['affinity'] is True
    assert 'affinity_train' in made['seconds']
    cfg = load_config(str(tmp_path / 'run' / 'affinity.py'))
    assert cfg.val_list == str(tmp_path / 'run' / 'val.txt')
    with pytest.raises(DataError, match='no folder of maps'):
        from mmwsss.registry import DATASETS
        DATASETS.build(cfg.train_dataloader.dataset)


def test_real_weights_and_networks_are_measured(test_data, tmp_path):
    folder = make_tagged_photos(tmp_path / 'project', count=4)
    weights = test_data('weights', 'deit_tiny_in1k_fp16.pth')
    made = plan(*folder, str(tmp_path / 'run'), weights=weights, device='cpu',
                dry_run=True)
    assert chosen(made)['weights'] == weights
    assert made['costs']['localizer_step'] > 0
