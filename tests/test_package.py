"""Installation, configs and what they promise."""
import glob
import os.path as osp
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from mmengine.fileio import load
from shapes import ROOT

from mmwsss.apis import load_config
from mmwsss.datasets.class_prompts import CLASS_LISTS
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
    for path in glob.glob(osp.join(ROOT, 'tools', '*', '*.py')):
        assert f'mmwsss/.mim/{osp.relpath(path, ROOT)}' in names
    assert 'mmwsss/.mim/configs/_base_/default_runtime.py' in names
    assert 'mmwsss/.mim/model-index.yml' in names
    assert 'mmwsss/.mim/configs/metafile.yml' in names
    assert 'mmwsss/ops/gwrp.py' in names
    assert 'mmwsss/visualization/published.json' in names
    [scripts] = [name for name in names if name.endswith('entry_points.txt')]
    assert b'mmwsss = mmwsss.__main__:main' in zipfile.ZipFile(
        wheel).read(scripts)
    for ending in ('html', 'css', 'js'):
        assert f'mmwsss/visualization/report/page.{ending}' in names


def test_model_index_lists_every_config():
    index = load(osp.join(ROOT, 'model-index.yml'))
    parts = [load(osp.join(ROOT, path)) for path in index['Import']]
    collections = [c for part in parts for c in part['Collections']]
    models = [model for part in parts for model in part['Models']]
    assert sorted(model['Config'] for model in models) == [
        osp.relpath(path, ROOT) for path in CONFIGS]
    names = {collection['Name'] for collection in collections}
    assert len(names) == len(collections)
    for collection in collections:
        assert osp.isfile(osp.join(ROOT, collection['README']))
    for model in models:
        assert model['In Collection'] in names
        assert model['Config'] == f"configs/{model['Name']}.py"
        for result in model.get('Results', []):
            assert result['Task'] and result['Dataset']
            for name, value in result['Metrics'].items():
                assert 0 < value < 100
                assert name.endswith(('(published)', '(measured)')), name


def write_texts(file, classes, count, background):
    """Embeddings of as many classes, and of background words."""
    names = list(CLASS_LISTS[classes])
    if count != len(names):  # a data set that brings its own names
        names = [f'class {i}' for i in range(count)]
    names += background
    np.savez(file, names=names, model='test', prompt='{}',
             embeddings=np.ones((len(names), 96), dtype=np.float32))
    return str(file)


@pytest.mark.parametrize('path', CONFIGS, ids=osp.basename)
def test_config_builds_its_model(path, tmp_path):
    cfg = load_config(path, work_dir=str(tmp_path))
    assert cfg.default_scope == 'mmwsss'
    model = cfg.model
    texts = model.get('textual_tokens') or model.get('class_evidence')
    if texts is not None and texts.text_embeddings != 'learned':
        texts.text_embeddings = write_texts(
            tmp_path / 'text.npz', 'coco80' if 'coco' in path else 'voc12',
            model.get('num_classes') or model.backbone.num_classes,
            texts.get('background', []))
    # Sizes without the memory for them; mmpretrain's ResNet needs numbers.
    resnet = 'ResNetTaps' in cfg.pretty_text
    with torch.device('cpu' if resnet else 'meta'):
        assert MODELS.build(model).data_preprocessor is not None
