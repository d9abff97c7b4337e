"""What makes two runs the same, and what only looks like it."""
import copy
import os
import os.path as osp
import shutil
from pathlib import Path

import pytest
import torch

from mmwsss.apis import load_config
from mmwsss.apis.result_settings import result_settings
from mmwsss.registry import REFINERS


def settings(cfg, **kwargs):
    return result_settings(cfg, '/nowhere', **kwargs)


@pytest.fixture
def cfg(localizer_config):
    return load_config(localizer_config)


def changed(cfg, change):
    other = copy.deepcopy(cfg)
    change(other)
    before, after = settings(cfg), settings(other)
    return sorted(name for name in {*before, *after}
                  if before.get(name) != after.get(name))


def setting(path, value):
    """A change of one option."""
    def change(cfg):
        cfg.merge_from_dict({path: value})
    return change


@pytest.mark.parametrize('path, value', [
    ('work_dir', 'elsewhere'),
    ('train_dataloader.num_workers', 7),
    ('train_dataloader.persistent_workers', True),
    ('val_dataloader.num_workers', 3),
    ('localize_workers', 5),
    ('refine_workers', 1),
    ('default_hooks.logger.interval', 1),
    ('log_level', 'ERROR'),
    ('visualizer', dict(type='Visualizer', name='x')),
    ('launcher', 'pytorch'),
    ('custom_hooks', [dict(type='NonFiniteLossHook')]),  # no heat maps
])
def test_how_it_runs_does_not_count(cfg, path, value):
    assert changed(cfg, setting(path, value)) == []


@pytest.mark.parametrize('path, value', [
    ('optim_wrapper.optimizer.lr', 1.),
    ('train_cfg.max_epochs', 3),
    ('train_dataloader.batch_size', 1),
    ('model.patch_head.decay', 0.5),
    ('model.test_cfg.attention_layers', 1),
    ('randomness.seed', 3),
    ('map_stride', 2),
])
def test_what_changes_results_is_said_by_name(cfg, path, value):
    assert path in changed(cfg, setting(path, value))


def test_a_moved_data_set_is_the_same(cfg, shapes, tmp_path):
    moved = str(tmp_path / 'elsewhere')
    shutil.copytree(shapes, moved)
    for place in (moved, shapes + os.sep, osp.relpath(shapes)):
        def change(cfg, place=place):
            for loader in (cfg.train_dataloader, cfg.val_dataloader):
                loader.dataset.data_root = place
            cfg.data_root = cfg.dataset.data_root = place
        assert changed(cfg, change) == []


@pytest.mark.parametrize('name, content', [
    ('labels.csv', 'image,labels\n'),
    ('lists/train.txt', 'img0\n'),
    ('JPEGImages/img3.jpg', 'other'),
])
def test_other_data_are_noticed(cfg, shapes, name, content):
    before = settings(cfg)
    with open(osp.join(shapes, name), 'a') as file:
        file.write(content)
    after = settings(cfg)
    assert before['train_dataloader.dataset.data'] != after[
        'train_dataloader.dataset.data']


@pytest.mark.parametrize('end', ['\r\n', '\r', '\n\n', ' \n'])
def test_how_the_lines_of_a_list_end_does_not_matter(cfg, shapes, end):
    before = settings(cfg)
    path = Path(shapes, 'lists', 'train.txt')
    path.write_bytes(end.join(path.read_text().split('\n')).encode())
    assert settings(cfg) == before


def test_true_masks_count_where_they_are_scored(cfg, shapes):
    before = settings(cfg), settings(cfg, masks=True)
    os.remove(osp.join(shapes, 'SegmentationClassAug', 'img0.png'))
    assert settings(cfg) == before[0]
    assert settings(cfg, masks=True) != before[1]


def test_files_count_by_their_content(cfg, tmp_path):
    weights = []
    for name, content in (('a', b'1'), ('b', b'1'), ('c', b'2')):
        folder = tmp_path / name
        folder.mkdir()
        (folder / 'net.pth').write_bytes(content)
        weights.append(str(folder / 'net.pth'))
    found = []
    for path in weights:
        other = copy.deepcopy(cfg)
        other.model.backbone.pretrained = path
        found.append(settings(other))
    assert found[0] == found[1] != found[2]


def test_what_a_refiner_reads_counts(cfg, tmp_path):
    """Also what the file that it names is based on."""
    from mmwsss.refiners import PAR

    class Table(PAR):
        def __init__(self, table, **kwargs):
            super().__init__(**kwargs)
            self.table = table

    REFINERS.register_module(name='Table', module=Table, force=True)
    try:
        (tmp_path / 'a.txt').write_text('1')
        cfg.refiners = [dict(type='Table', iterations=3,
                             table=str(tmp_path / 'a.txt'))]
        before = settings(cfg)
        assert before['refiners.0.iterations'] == 3
        (tmp_path / 'b.txt').write_text('1')
        cfg.refiners[0].table = str(tmp_path / 'b.txt')
        assert settings(cfg) == before
        (tmp_path / 'b.txt').write_text('2')
        assert settings(cfg) != before
    finally:
        REFINERS.module_dict.pop('Table')


def test_an_affinity_refiner_is_its_network(cfg, tmp_path):
    (tmp_path / 'base.py').write_text("model = dict(type='PSA', widths=(8, ))")
    (tmp_path / 'net.py').write_text("_base_ = 'base.py'")
    torch.save(dict(w=torch.ones(1)), tmp_path / 'w.pth')
    cfg.refiners = [dict(type='RandomWalk', config=str(tmp_path / 'net.py'),
                         checkpoint=str(tmp_path / 'w.pth'))]
    before = settings(cfg)
    (tmp_path / 'base.py').write_text("model = dict(type='PSA', widths=(9, ))")
    assert settings(cfg) != before


@pytest.mark.parametrize('line', [
    'img{}', 'img{}.jpg', '/JPEGImages/img{0}.jpg /Masks/img{0}.png'])
def test_photos_of_every_kind_of_list_count(cfg, shapes, line):
    with open(osp.join(shapes, 'lists', 'train.txt'), 'w') as file:
        file.writelines(line.format(i) + '\n' for i in range(8))
    before = settings(cfg)
    with open(osp.join(shapes, 'JPEGImages', 'img5.jpg'), 'a') as file:
        file.write('more')
    assert settings(cfg) != before


def test_paths_below_the_work_folder_may_move(cfg, tmp_path):
    cfg.masks = str(tmp_path / 'run' / 'pseudo_train' / 'masks')
    here = result_settings(cfg, str(tmp_path / 'run'))
    cfg.masks = str(tmp_path / 'other' / 'pseudo_train' / 'masks')
    assert result_settings(cfg, str(tmp_path / 'other')) == here


def test_a_part_with_its_scope_is_the_same(cfg):
    kind = cfg.model.type
    assert not changed(cfg, setting('model.type', f'mmwsss.{kind}'))
    assert changed(cfg, setting('model.type', f'mmseg.{kind}'))
