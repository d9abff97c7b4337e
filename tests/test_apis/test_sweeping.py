"""Sweeps over settings, and the look at over-smoothing."""
import json
import os
import os.path as osp

import pytest
from PIL import Image

from mmwsss.apis import train
from mmwsss.apis.sweeping import parse_grid, sweep
from mmwsss.problems import ConfigError


def test_values_of_a_grid():
    assert parse_grid(['a.b=1,0.5', 'c=abs,cos', 'd=(1,2);(3,4)']) == {
        'a.b': [1, 0.5], 'c': ['abs', 'cos'], 'd': [(1, 2), (3, 4)]}
    for wrong in ('a', 'a=', '=1', 'a=1,,2'):
        with pytest.raises(ConfigError, match='give KEY=VALUE'):
            parse_grid([wrong])


def test_a_sweep_goes_on_where_it_stopped(toco_config, tmp_path,
                                          monkeypatch):
    trained = []

    def counted(cfg, **kwargs):
        trained.append(osp.basename(cfg.work_dir))
        if len(trained) == 2:
            raise KeyboardInterrupt
        return train(cfg, **kwargs)

    monkeypatch.setattr('mmwsss.apis.stages.train', counted)
    grid = {'model.patch_contrast.similarity': ['abs', 'relu'],
            'model.loss_weights.ptc': [0.2, 0.4]}
    args = (toco_config, grid, ['seg/mIoU', 'cam/mIoU'], str(tmp_path / 's'),
            {'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2})
    with pytest.raises(KeyboardInterrupt):
        sweep(*args)
    first = osp.join(tmp_path, 's', 'similarity=abs_ptc=0.2', 'stage.json')
    time = os.stat(first).st_mtime_ns
    results = sweep(*args)
    assert trained == ['similarity=abs_ptc=0.2', 'similarity=abs_ptc=0.4',
                       'similarity=abs_ptc=0.4', 'similarity=relu_ptc=0.2',
                       'similarity=relu_ptc=0.4']
    assert os.stat(first).st_mtime_ns == time
    assert [r['options']['model.loss_weights.ptc'] for r in results] == [
        0.2, 0.4, 0.2, 0.4]
    table = (tmp_path / 's' / 'sweep.md').read_text().splitlines()
    assert len(table) == 2 + 4 and 'seg/mIoU' in table[0]
    Image.open(tmp_path / 's' / 'sweep.png').verify()
    assert json.loads((tmp_path / 's' / 'sweep.json').read_text()) == results
    with pytest.raises(ConfigError, match="unknown option 'modle'"):
        sweep(toco_config, {'modle.x': [1]}, [], str(tmp_path / 't'))
    with pytest.raises(ConfigError, match='--metric mAP: .*reports.*cam/mIoU'):
        sweep(args[0], grid, ['mAP'], *args[3:])


def test_files_of_others_stay(toco_config, tmp_path):
    theirs = tmp_path / 's' / 'ptc=0.2' / 'thesis.tex'
    theirs.parent.mkdir(parents=True)
    theirs.write_text('precious')
    with pytest.raises(ConfigError, match='ptc=0.2: holds files of something'):
        sweep(toco_config, {'model.loss_weights.ptc': [0.2]}, ['seg/mIoU'],
              str(tmp_path / 's'), overwrite=True)
    assert theirs.read_text() == 'precious'


@pytest.mark.parametrize('key, line', [
    ('modle.x', "--grid modle.x: unknown option 'modle'"),
    ('train_cfg.max_iters', '--grid train_cfg.max_iters=-1: give a whole'),
    ('data_root.x', '--grid data_root.x: data_root is ')])
def test_the_option_that_is_wrong(key, line, toco_config, tmp_path):
    with pytest.raises(ConfigError) as caught:
        sweep(toco_config, {key: [-1]}, ['seg/mIoU'], str(tmp_path / 's'))
    assert line in str(caught.value)
    assert '--cfg-options' not in str(caught.value)


def test_a_score_that_is_none(toco_config, tmp_path, monkeypatch):
    def train_nothing(cfg, **options):
        folder = osp.join(cfg.work_dir, '0', 'vis_data')
        os.makedirs(folder)
        with open(osp.join(folder, 'scalars.json'), 'w') as file:
            file.write('{"seg/mIoU": null, "step": 1}\n')
        open(osp.join(cfg.work_dir, 'iter_1.pth'), 'w').close()

    monkeypatch.setattr('mmwsss.apis.stages.train', train_nothing)
    monkeypatch.setattr('mmwsss.apis.stages.best_checkpoint',
                        lambda folder: osp.join(folder, 'iter_1.pth'))
    result, = sweep(toco_config, {'model.loss_weights.ptc': [0.2]},
                    ['seg/mIoU'], str(tmp_path / 's'))
    assert result['scores'] == {'seg/mIoU': None}
    assert '–' in (tmp_path / 's' / 'sweep.md').read_text()
