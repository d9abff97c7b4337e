"""Test data, and small data sets that the tests make themselves."""
import gc
import os
import os.path as osp
import random
import shutil

# Several workers, each with a thread a core, would wait for one another.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np
import pytest
import torch
from clip_files import PlainCLIP
from digit_files import SMALL
from filelock import FileLock
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

from mmwsss import datasets, models  # noqa: F401
from mmwsss.apis import best_checkpoint, load_config, train
from mmwsss.preparation.digit_scenes import write_digit_scenes

# Minutes each: what begins last is waited for.
LONGEST = ('test_toco_digits.py', 'test_comparison.py', 'test_generation.py')


def pytest_collection_modifyitems(items):
    """The longest files begin first, so that the workers end together."""
    items.sort(key=lambda item: LONGEST.index(item.path.name)
               if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope='session', autouse=True)
def quick_runs():
    """Leave out of each run what takes its time and no test looks at.

    A data set has Python collect garbage among all objects of all imported
    packages (hence all rooms are imported above), a training lays out its
    config for reading several times, and pictures for people are large.
    """
    gc.freeze()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('yapf.yapflib.yapf_api.FormatCode',
                      lambda text, **_: (text, False))
        patch.setattr('mmwsss.visualization.overlays._TILE', 48)
        yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def random_numbers():
    """Draw the same numbers in a test, alone or after others."""
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)


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


@pytest.fixture(scope='session')
def scenes(tmp_path_factory):
    """A folder of DigitScenes; not to be changed."""
    root = str(tmp_path_factory.mktemp('digits') / 'scenes')
    write_digit_scenes(root, **SMALL)
    return root


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


@pytest.fixture(scope='session')
def trained_checkpoint(tmp_path_factory):
    """Path of a localizer trained on ``shapes``, once for all workers."""
    shared = tmp_path_factory.getbasetemp()
    if 'PYTEST_XDIST_WORKER' in os.environ:
        shared = shared.parent
    folder = shared / 'trained_localizer'
    with FileLock(f'{folder}.lock'):
        if not folder.exists():
            place = tmp_path_factory.mktemp('localizer')
            config = write_config(place / 'localizer.py', SHAPES_LOCALIZER,
                                  make_shapes(place / 'shapes'))
            train(load_config(config, work_dir=str(place / 'run')))
            os.rename(place / 'run', folder)
    return best_checkpoint(str(folder))


@pytest.fixture
def trained(localizer_config, trained_checkpoint, tmp_path):
    """A localizer trained on ``shapes``: config object, own checkpoint."""
    cfg = load_config(localizer_config, work_dir=str(tmp_path / 'localizer'))
    os.makedirs(cfg.work_dir)
    return cfg, shutil.copy(trained_checkpoint, cfg.work_dir)


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
