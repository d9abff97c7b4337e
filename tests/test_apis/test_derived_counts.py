import glob
import os.path as osp

import pytest
from shapes import ROOT

from mmwsss.apis import load_config
from mmwsss.apis.class_counts import HEADS, check_class_counts
from mmwsss.apis.derived_counts import SHIPPED, derive_class_counts
from mmwsss.problems import ConfigError

SHIPPED_CONFIGS = sorted(osp.basename(path) for path in glob.glob(
    osp.join(ROOT, 'configs', '*.py')))
OWN = "dict(_delete_=True, type='{kind}', metainfo=dict(classes={classes}))"


def own_config(folder, name, classes, kind='ImageLevelDataset', more=''):
    """A config of one's own that says nothing of numbers."""
    path = folder / 'own.py'
    dataset = OWN.format(kind=kind, classes=classes)
    path.write_text(f'_base_ = {osp.join(ROOT, "configs", name)!r}\n'
                    f'train_dataloader = dict(dataset={dataset})\n'
                    f'val_dataloader = test_dataloader = None\n'
                    f'val_cfg = test_cfg = None\n{more}')
    return str(path)


def numbers(cfg):
    found = {}

    def look(node, name):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == 'num_classes':
                    found[name] = value
                look(value, f'{name}.{key}')

    look(cfg.model, 'model')
    return found


@pytest.mark.parametrize('name', SHIPPED_CONFIGS)
def test_shipped_numbers_are_known_and_stay(name):
    cfg = load_config(osp.join(ROOT, 'configs', name))
    before = numbers(cfg)
    for place, value in before.items():
        assert value - any(head in place for head in HEADS) in SHIPPED
    assert derive_class_counts(cfg, {}) == []
    assert numbers(cfg) == before


@pytest.mark.parametrize('classes', [
    ('background', 'red'), ('background', 'red', 'blue'),
    ('background', *map(str, range(20))),
    ('background', *map(str, range(79)))], ids=len)
@pytest.mark.parametrize('name', [
    'mmct_voc.py', 'mmct_coco.py', 'mctformer_plus_deit-tiny_voc.py',
    'cam_deit-tiny_voc.py', 'toco_coco.py', 'afa_deit-tiny_voc.py',
    'mmct_openimages.py', 'mmct_digits.py'])
def test_a_localizer_follows_its_classes(name, classes, tmp_path):
    cfg = load_config(own_config(tmp_path, name, classes))
    assert set(numbers(cfg).values()) == {len(classes) - 1}


@pytest.mark.parametrize('name', [
    'largefov_deit-tiny_voc.py', 'deeplabv1_r38d_coco.py',
    'deeplabv2_r101_voc.py', 'deeplabv3_r18_digits.py'])
def test_a_segmentor_counts_the_background(name, tmp_path):
    cfg = load_config(own_config(tmp_path, name, ('background', 'a', 'b'),
                                 'PseudoMaskDataset'))
    assert set(numbers(cfg).values()) == {3}


@pytest.mark.parametrize('count', [1, 3, 21])
def test_a_number_of_ones_own_is_judged(count, tmp_path):
    path = own_config(tmp_path, 'cam_deit-tiny_voc.py',
                      ('background', 'a', 'b'),
                      more=f'model = dict(num_classes={count})\n')
    cfg = load_config(path)
    assert cfg.model.num_classes == count
    with pytest.raises(ConfigError, match=f'num_classes={count}, but'):
        check_class_counts(cfg)


def test_an_option_is_judged(tmp_path):
    path = own_config(tmp_path, 'cam_deit-tiny_voc.py',
                      ('background', 'a', 'b'))
    cfg = load_config(path, {'model.num_classes': 20})
    with pytest.raises(ConfigError, match='num_classes=20, but'):
        check_class_counts(cfg)
