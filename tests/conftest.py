"""Test data, and small data sets that the tests make themselves."""
import os
import os.path as osp

import pytest
import torch
from clip_files import PlainCLIP
from mmengine.registry import DefaultScope
from parity_files import ResNet38File
from shapes import (
    ROOT,
    SHAPES_LOCALIZER,
    SHAPES_SEGMENTOR,
    SHAPES_TOCO,
    make_shapes,
    write_config,
)

from mmwsss.apis import best_checkpoint, load_config, train


@pytest.fixture(autouse=True)
def mmwsss_scope():
    """Build parts by their short names, as the Runner does."""
    if not DefaultScope.check_instance_created('mmwsss'):
        DefaultScope.get_instance('mmwsss', scope_name='mmwsss')


@pytest.fixture(scope='session')
def test_data():
    """Path of a file under ``MMWSSS_TEST_DATA``; skips where it is absent."""
    root = os.environ.get('MMWSSS_TEST_DATA', osp.join(ROOT, '..', 'shared'))

    def path(*parts):
        full = osp.abspath(osp.join(root, *parts))
        if not osp.exists(full):
            pytest.skip(f'needs {osp.join(*parts)} under MMWSSS_TEST_DATA '
                        f'(looked at {full})')
        return full

    return path


@pytest.fixture(scope='session')
def resnet38_file(test_data):
    """The parity file of ResNet38, its weights made once."""
    return ResNet38File(test_data('parity', 'resnet38.npz'))


@pytest.fixture
def shapes(tmp_path):
    """A VOC-layout data set of 8 photos with a red or a blue square."""
    return make_shapes(tmp_path / 'shapes')


@pytest.fixture
def localizer_config(shapes, tmp_path):
    """Path of a config that trains an MMCT on ``shapes`` in seconds."""
    return write_config(tmp_path / 'localizer.py', SHAPES_LOCALIZER, shapes)


@pytest.fixture
def segmentor_config(shapes, tmp_path):
    """Path of a config of a segmentor for ``shapes``."""
    return write_config(tmp_path / 'segmentor.py', SHAPES_SEGMENTOR, shapes)


@pytest.fixture
def trained(localizer_config, tmp_path):
    """A trained localizer: its config object and checkpoint."""
    cfg = load_config(localizer_config, work_dir=str(tmp_path / 'localizer'))
    train(cfg)
    return cfg, best_checkpoint(cfg.work_dir)


@pytest.fixture(scope='module')
def one_thread():
    """Keep torch to one thread for the tests of a file."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='session')
def clip():
    """A small CLIP with random weights."""
    return PlainCLIP()


@pytest.fixture(scope='session')
def weights(clip, tmp_path_factory):
    """Path of the state dict of ``clip``."""
    path = tmp_path_factory.mktemp('weights') / 'tiny_clip.pth'
    # OpenAI's files also hold three plain numbers.
    torch.save({**clip.state_dict(), 'context_length': torch.tensor(77)}, path)
    return str(path)


@pytest.fixture
def toco_config(shapes, tmp_path):
    return write_config(tmp_path / 'toco.py', SHAPES_TOCO, shapes)
