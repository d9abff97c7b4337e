"""Maps are re-used only where nothing that they come from has changed."""
import os.path as osp
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from PIL import Image
from shapes import dataset_config

from mmwsss.apis.manifest import (
    claim,
    describe_source,
    refuse_inputs,
    refuse_photo_folder,
)
from mmwsss.problems import ConfigError, DataError
from mmwsss.refiners import BaseRefiner
from mmwsss.registry import DATASETS, REFINERS


class Shifted(BaseRefiner):
    """Adds the number in a file; where it lies does not matter."""

    def __init__(self, numbers, device=None):
        super().__init__(device)
        self.numbers = numbers

    def inputs(self):
        with open(self.numbers) as file:
            return dict(numbers=file.read())

    def refine(self, image, maps, labels):
        return maps + float(self.inputs()['numbers'])


@pytest.fixture
def cfg(tmp_path):
    """A config whose refiner reads a file under a name of its own."""
    (tmp_path / 'numbers.txt').write_text('0.1')
    REFINERS.register_module(name='Shifted', module=Shifted, force=True)
    yield Config(dict(
        model=dict(type='MMCT', backbone=dict(pretrained='a.pth')),
        localize_pipeline=[dict(type='LoadPhoto')],
        refiners=[dict(type='Shifted',
                       numbers=str(tmp_path / 'numbers.txt'))]))
    REFINERS.module_dict.pop('Shifted')


@pytest.fixture
def weights(tmp_path):
    torch.save(dict(state_dict=dict(w=torch.ones(2))), tmp_path / 'w.pth')
    return str(tmp_path / 'w.pth')


@pytest.fixture
def dataset(shapes):
    return DATASETS.build(dataset_config(shapes))


def test_what_a_refiner_reads_is_noticed(cfg, weights, dataset, tmp_path):
    before = describe_source(cfg, weights, dataset)
    assert describe_source(cfg, weights, dataset) == before
    (tmp_path / 'numbers.txt').write_text('0.2')
    after = describe_source(cfg, weights, dataset)
    assert after['settings'] != before['settings']
    assert after['weights'] == before['weights']


def test_where_things_lie_does_not_matter(cfg, weights, dataset, tmp_path):
    before = describe_source(cfg, weights, dataset)
    (tmp_path / 'moved.txt').write_text('0.1')
    cfg.refiners[0].numbers = str(tmp_path / 'moved.txt')
    cfg.refiners[0].device = 'cuda:1'
    # The network's weights are those of the checkpoint.
    cfg.model.backbone.pretrained = 'b.pth'
    assert describe_source(cfg, weights, dataset) == before


@pytest.mark.parametrize('change', [
    dict(map_stride=2), dict(map_dtype='float16'), dict(refiners=[]),
    {'model.type': 'CAMLocalizer'}])
def test_settings_are_noticed(cfg, weights, dataset, change):
    before = describe_source(cfg, weights, dataset)
    cfg.merge_from_dict(change)
    if 'refiners' in change:
        cfg.refiners = []
    assert describe_source(cfg, weights, dataset)['settings'] != (
        before['settings'])


def test_what_is_read_of_a_photo_is_noticed(cfg, weights, shapes, dataset):
    before = describe_source(cfg, weights, dataset)['images']
    path = osp.join(shapes, 'JPEGImages', 'img2.jpg')
    Image.new('RGB', (64, 48), 'green').save(path)
    after = describe_source(cfg, weights, dataset)['images']
    assert [name for name in before if before[name] != after[name]] == ['img2']


def test_a_folder_is_claimed_once(cfg, weights, dataset, tmp_path):
    out = str(tmp_path / 'out')
    source = describe_source(cfg, weights, dataset)
    claim(out, source, overwrite=False)
    maps = tmp_path / 'out' / 'maps'
    maps.mkdir()
    (maps / 'img0.npz').write_text('maps')
    claim(out, source, overwrite=False)
    other = dict(source, settings='other')
    with pytest.raises(ConfigError, match='made with other settings'):
        claim(out, other, overwrite=False)
    assert (maps / 'img0.npz').exists()
    claim(out, other, overwrite=True)
    assert not (maps / 'img0.npz').exists()


@pytest.mark.parametrize('content', ['{', '[1]', 'null'])
def test_a_damaged_manifest_is_named(cfg, weights, dataset, tmp_path,
                                     content):
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'manifest.json').write_text(content)
    with pytest.raises(DataError, match='manifest.json: damaged'):
        claim(str(out), describe_source(cfg, weights, dataset), False)


def put(out, *names):
    for name in names:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('content')


@pytest.mark.parametrize('file', [
    'masks/img5.png', 'npy/img5.npy', 'maps/img5.npz'])
def test_files_of_another_list_are_not_mixed(cfg, weights, dataset, tmp_path,
                                             file):
    out = tmp_path / 'out'
    whole = describe_source(cfg, weights, dataset)
    part = dict(whole, split='lists/train.txt', images={
        name: whole['images'][name] for name in ('img0', 'img1')})
    claim(str(out), whole, overwrite=False)
    put(out, file, 'masks/img0.png', 'scores.json')
    with pytest.raises(ConfigError, match='of 6 images that are not in this '
                       'list, e.g. img2; choose another --out-dir'):
        claim(str(out), part, overwrite=False)
    assert (out / file).exists() and (out / 'scores.json').exists()
    claim(str(out), part, overwrite=True)
    assert not (out / file).exists() and not (out / 'scores.json').exists()
    assert (out / 'masks' / 'img0.png').exists()


def test_a_list_may_grow_but_not_become_another(cfg, weights, dataset,
                                                tmp_path):
    out = tmp_path / 'out'
    whole = describe_source(cfg, weights, dataset)
    part = dict(whole, images={'img0': whole['images']['img0']})
    claim(str(out), part, overwrite=False)
    put(out, 'masks/img0.png', 'scores.json')
    with pytest.raises(ConfigError, match='of another list, train, of 1 of '
                       'these 8 images'):
        claim(str(out), dict(whole, split='all.txt'), overwrite=False)
    claim(str(out), whole, overwrite=False)
    assert (out / 'scores.json').exists()


@pytest.mark.parametrize('file', ['masks/img0.png', 'scores.json'])
def test_masks_and_scores_of_unknown_origin_are_kept(cfg, weights, dataset,
                                                     tmp_path, file):
    put(tmp_path / 'out', file)
    with pytest.raises(ConfigError, match='made with other'):
        claim(str(tmp_path / 'out'), describe_source(cfg, weights, dataset),
              overwrite=False)
    assert (tmp_path / 'out' / file).exists()


@pytest.mark.parametrize('out, prefix', [
    ('JPEGImages', {}),
    ('.', dict(seg_map_path='masks')),
    ('link', {}),
    ('.', dict(img_path='maps')),
])
def test_nothing_is_written_where_inputs_lie(out, prefix, shapes):
    root = Path(shapes)
    for there, kind in (('JPEGImages', 'img_path'),
                        ('SegmentationClassAug', 'seg_map_path')):
        if kind in prefix:
            (root / there).rename(root / prefix[kind])
    (root / 'link').symlink_to(prefix.get('img_path', 'JPEGImages'))
    dataset = DATASETS.build(dataset_config(shapes, data_prefix={
        'img_path': 'JPEGImages', 'seg_map_path': 'SegmentationClassAug',
        **prefix}))
    with pytest.raises(ConfigError, match='lies where results are written'):
        refuse_inputs(str(root / out), dataset)
    refuse_inputs(str(root / 'pseudo'), dataset)


@pytest.mark.parametrize('out, above, refused', [
    ('photos', False, True), ('photos/out', False, True),
    ('photos/a/b', False, True), ('link/out', False, True),
    ('.', False, False), ('photos_out', False, False),
    ('.', True, True), ('photos_out', True, False)])
def test_a_folder_of_photos_gets_no_results(tmp_path, out, above, refused):
    photos = tmp_path / 'photos'
    photos.mkdir()
    (tmp_path / 'link').symlink_to('photos')
    if not refused:
        refuse_photo_folder(str(tmp_path / out), str(photos), '--out', above)
        return
    with pytest.raises(ConfigError, match='^--out .*choose') as error:
        refuse_photo_folder(str(tmp_path / out), str(photos), '--out', above)
    assert '\n' not in str(error.value)


def test_photos_without_a_list_get_no_results(shapes):
    dataset = DATASETS.build(dict(
        type='PhotoFolder', data_root=shapes, pipeline=[],
        metainfo=dict(classes=('background', 'red', 'blue')),
        data_prefix=dict(img_path='JPEGImages')))
    with pytest.raises(ConfigError, match='--out .*lies in .*JPEGImages'):
        refuse_inputs(f'{shapes}/JPEGImages/new/masks', dataset, '--out')
    refuse_inputs(f'{shapes}/new', dataset)
