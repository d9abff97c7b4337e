import os.path as osp

import pytest
from shapes import ROOT

from mmwsss.apis import load_config, plan_configs
from mmwsss.apis.class_counts import check_class_counts
from mmwsss.apis.plan_configs import BASES, shipped_configs

CHOICES = dict(
    classes=['background', 'dog', "king's crown"],
    palette=[[0, 0, 0], [200, 0, 0], [0, 0, 200]], folder='/my photos',
    label_source=dict(type='TableLabels', file='/labels.csv'),
    weights='/deit.pth', workers=2, input_side=160, max_side=320, lenient=True,
    batch_size=8, localizer_epochs=40, segmentor_iterations=300,
    affinity=True, affinity_epochs=3, held_out=9)


def loaded(tmp_path, **choices):
    """The configs of a plan, by name."""
    texts = plan_configs.plan_configs(dict(CHOICES, **choices), str(tmp_path))
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        assert text.count('\n') <= 30 or name == 'data.py'
        assert 'num_classes' not in text  # they follow the classes
        assert all(len(line) < 80 or '/' in line
                   for line in text.splitlines())
    return {name[:-3]: load_config(str(tmp_path / name))
            for name in texts if name != 'data.py'}


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('held_out', [0, 9])
@pytest.mark.parametrize('weights', [None, '/deit.pth'])
def test_configs_say_what_was_chosen(tmp_path, workers, held_out, weights):
    configs = loaded(tmp_path, workers=workers, held_out=held_out,
                     weights=weights)
    assert set(configs) == set(BASES)
    for name, cfg in configs.items():
        loader = cfg.train_dataloader
        assert loader.batch_size == 8 and loader.num_workers == workers
        assert loader.persistent_workers == (workers > 0)
        assert loader.dataset.ann_file == str(tmp_path / 'train.txt')
        assert loader.dataset.metainfo.classes == CHOICES['classes']
        assert cfg.lenient and loader.dataset.pipeline[0].lenient
        assert cfg.max_side == loader.dataset.pipeline[0].get(
            'max_side', 320) == 320
        backbone = cfg.model.backbone
        assert backbone.get('vit', backbone).pretrained == weights
        if name != 'affinity':
            check_class_counts(cfg, loaders=('train', ))
    localizer = configs['localizer']
    assert localizer.train_cfg.max_epochs == 40
    assert localizer.train_dataloader.dataset.pipeline[1].scale == 160
    best = localizer.default_hooks.checkpoint.save_best
    val = localizer.val_dataloader
    if held_out:
        assert best == 'multi-label/mAP'
        assert val.dataset.ann_file == str(tmp_path / 'val.txt')
        assert val.dataset.pipeline[0].max_side == 320
    else:
        assert best is None and val is None
    segmentor = configs['segmentor']
    assert segmentor.train_cfg.max_iters == 300
    assert segmentor.train_dataloader.dataset.masks == str(
        tmp_path / 'affinity_train' / 'masks')
    assert segmentor.test_dataloader.dataset.ann_file == str(
        tmp_path / ('val.txt' if held_out else 'train.txt'))


def test_without_affinity_masks_are_the_localizers(tmp_path):
    configs = loaded(tmp_path, affinity=False)
    assert set(configs) == {'localizer', 'segmentor'}
    assert 'pseudo_train' in configs['segmentor'].pseudo_masks


def test_many_classes(tmp_path):
    names = ['background', *(f'class number {i}' for i in range(80))]
    configs = loaded(tmp_path, classes=names, palette=[[i] * 3
                                                       for i in range(81)])
    assert configs['segmentor'].model.decode_head.num_classes == 81
    assert configs['localizer'].model.backbone.num_classes == 80


def test_paths_follow_the_folder(tmp_path):
    """But what lies far off keeps its place."""
    names = dict(folder=str(tmp_path / 'photos'), weights='/deit.pth',
                 label_source=dict(type='TableLabels', allow_empty=True,
                                   file=str(tmp_path / 'labels.csv')))
    texts = plan_configs.plan_configs(dict(CHOICES, **names),
                                      str(tmp_path / 'run'))
    for name, text in texts.items():
        assert str(tmp_path) not in text, name
    for folder in ('run', 'elsewhere'):
        (tmp_path / folder).mkdir()
        for name, text in texts.items():
            (tmp_path / folder / name).write_text(text)
        cfg = load_config(str(tmp_path / folder / 'localizer.py'))
        dataset = cfg.train_dataloader.dataset
        assert cfg.data_root == dataset.data_root == str(
            tmp_path / folder / '../photos')
        assert dataset.label_source == dict(
            type='TableLabels', allow_empty=True,
            file=str(tmp_path / folder / '../labels.csv'))
        assert dataset.ann_file == str(tmp_path / folder / 'train.txt')
        assert cfg.model.backbone.pretrained == '/deit.pth'
        for name in ('affinity', 'segmentor'):
            cfg = load_config(str(tmp_path / folder / f'{name}.py'),
                              dict(data_root='/new'))
            assert cfg.train_dataloader.dataset.data_root == '/new'
        assert cfg.pseudo_masks == str(
            tmp_path / folder / 'affinity_train' / 'masks')


def test_configs_of_an_installation(tmp_path, monkeypatch):
    assert shipped_configs() == osp.join(ROOT, 'configs')
    package = tmp_path / 'site-packages' / 'mmwsss'
    monkeypatch.setattr(plan_configs, '__file__',
                        str(package / 'apis' / 'plan_configs.py'))
    with pytest.raises(FileNotFoundError, match='install mmwsss again'):
        shipped_configs()
    configs = package / '.mim' / 'configs'
    configs.mkdir(parents=True)
    (configs / BASES['localizer']).touch()
    assert shipped_configs() == str(configs)
