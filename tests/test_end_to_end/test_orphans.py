"""Tools that are killed or terminated leave no process and no trace of one.

``pytest -m kill`` tries all tools with both signals; two are tried always.
"""
import glob
import json
import os
import os.path as osp
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image
from processes import children, is_alive
from shapes import ROOT

from mmwsss.datasets.class_prompts import COCO80

pytestmark = pytest.mark.skipif(
    not osp.exists('/proc/self/task'), reason='counts processes in /proc')

# COCO's ids of its 80 categories: ten of 1..90 were never used.
IDS = [i for i in range(1, 91)
       if i not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]
MORE = '''
_base_ = {base!r}
localize_workers = 2
refine_workers = 2
refiners = [dict(type='DenseCRF', iterations=300, backend='torch')]
train_dataloader = dict(batch_size=2, num_workers=2)
train_cfg = dict(max_epochs=5000)
'''


def tool(name):
    return osp.join(ROOT, 'tools', f'{name}.py')


def converter(config, checkpoint, out):
    """COCO with many links to one photo, each with a large object."""
    pytest.importorskip('pycocotools')
    names = [f'{i:012d}.jpg' for i in range(1, 1001)]
    os.makedirs(osp.join(out, 'annotations'))
    os.makedirs(osp.join(out, 'val2014'))
    photo = osp.join(out, 'photo.jpg')
    Image.new('RGB', (1600, 1600)).save(photo)
    for name in names:
        os.link(photo, osp.join(out, 'val2014', name))
    content = dict(
        images=[dict(id=i, file_name=name, height=1600, width=1600)
                for i, name in enumerate(names)],
        categories=[dict(id=i, name=name) for i, name in zip(IDS, COCO80)],
        annotations=[dict(
            id=i, image_id=i, category_id=1, iscrowd=0,
            segmentation=[[0, 0, 1600, 0, 1600, 1600]])
            for i in range(len(names))])
    with open(osp.join(out, 'annotations', 'instances_val2014.json'),
              'w') as file:
        json.dump(content, file)
    return [tool('dataset_converters/coco14'), out, '--splits', 'val2014',
            '--num-workers', '2',
            '--subset'], 'SegmentationClass/val2014/*.png'


def generation(config, checkpoint, out):
    return [tool('gen_pseudo'), config, checkpoint,
            '--out-dir', out, '--work-dir', f'{out}_work'], 'maps/*.npz'


def training(config, checkpoint, out):
    return [tool('train'), config, '--work-dir', out], 'epoch_*.pth'


def ranks(config, checkpoint, out):
    arguments, ready = generation(config, checkpoint, out)
    return ['-m', 'torch.distributed.run', '--standalone',
            '--nproc_per_node=2', *arguments, '--launcher', 'pytorch',
            '--cfg-options', 'refine_workers=0'], ready


COMMANDS = dict(converter=converter, generation=generation,
                training=training, ranks=ranks)
ALWAYS = [('generation', 'SIGTERM'), ('ranks', 'SIGKILL')]


def wait_until(condition, seconds):
    """Look for so long; a busy machine takes its time."""
    ends = time.monotonic() + seconds
    while not condition() and time.monotonic() < ends:
        time.sleep(0.1)
    return condition()


@pytest.mark.parametrize('name, number', [
    pytest.param(name, number, marks=() if (name, number) in ALWAYS
                 else pytest.mark.kill)
    for name in COMMANDS for number in ('SIGTERM', 'SIGKILL')])
def test_no_process_is_left(trained, tmp_path, request, name, number):
    base, checkpoint = trained[0].filename, trained[1]
    config = tmp_path / 'workers.py'
    config.write_text(MORE.format(base=base))
    out = str(tmp_path / 'out')
    arguments, ready = COMMANDS[name](str(config), checkpoint, out)
    process = subprocess.Popen(
        [sys.executable, *arguments], text=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=ROOT, PYTHONWARNINGS='ignore'))
    request.addfinalizer(process.kill)
    found = []

    def works():  # a loader's workers come and go
        found[:] = children(process.pid)
        return process.poll() is not None or (
            len(found) >= 2 and glob.glob(osp.join(out, ready)))

    assert wait_until(works, 300)
    assert process.poll() is None
    # Of torchrun one rank, of the others the first process.
    os.kill(found[1] if name == 'ranks' else process.pid,
            getattr(signal, number))
    said = process.communicate(timeout=120)[1]
    assert process.returncode != 0
    assert wait_until(lambda: not any(map(is_alive, found)), 30), [
        pid for pid in found if is_alive(pid)]
    if number == 'SIGTERM' and name != 'ranks':
        assert process.returncode == 1
        assert 'Traceback' not in said
        assert said.strip().splitlines()[-1].startswith('interrupted; run')
