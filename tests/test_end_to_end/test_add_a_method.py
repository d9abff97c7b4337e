"""docs/add_a_method.md: its method and its refiner, outside the package."""
import glob
import os
import os.path as osp
import re
import shlex
import sys

import numpy as np
import pytest
from command_lines import run_tool
from shapes import ROOT, dataset_config

from mmwsss.files.maps import read_map

with open(osp.join(ROOT, 'docs', 'add_a_method.md'),
          encoding='utf-8') as file:
    PAGE = file.read()
TINY = '''
quick = dict(num_workers=0, persistent_workers=False, batch_size=1,
             dataset=dict(_delete_=True, **{data!r}))
train_dataloader = val_dataloader = quick
model['backbone'] = dict(arch=dict(
    _delete_=True, embed_dims=32, num_layers=2, num_heads=2,
    feedforward_channels=64), img_size=48, pretrained=None)
train_cfg = dict(max_epochs=1, val_interval=1)
localize_workers = 0
'''


@pytest.fixture
def project(shapes, tmp_path, monkeypatch):
    """The page's files in a folder of their own, made tiny."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', list(sys.path))
    method, config, refiner = re.findall(
        r'^```python\n(.*?)^```$', PAGE, flags=re.S | re.M)
    assert '../mmwsss/configs' in config
    config = config.replace('../mmwsss', ROOT).replace(
        "['top_k']", "['top_k', 'sharpen']")
    for name, text in (('top_k', method), ('sharpen', refiner),
                       ('top_k_voc', config + TINY.format(
                           data=dataset_config(shapes)))):
        with open(f'{name}.py', 'w') as own:
            own.write(text)
    yield tmp_path
    for name in ('top_k', 'sharpen'):
        sys.modules.pop(name, None)


def commands():
    """The page's commands: tool and arguments."""
    lines = ' '.join(re.findall(r'^```bash\n(.*?)^```$', PAGE,
                                flags=re.S | re.M))
    for line in lines.replace('\\\n', ' ').splitlines():
        tool, *rest = shlex.split(line)
        yield (osp.splitext(osp.basename(tool))[0],
               [path for one in rest for path in glob.glob(one) or [one]])


def test_every_command_of_the_page(project):
    ran = []
    for tool, arguments in commands():
        assert run_tool(tool, *arguments) is None
        ran.append(tool)
    assert ran == ['train', 'gen_pseudo', 'gen_pseudo']
    plain, sharp = (read_map(path) for path in (
        'top_k/pseudo/maps/img0.npz', 'top_k/sharp/maps/img0.npz'))
    assert plain.labels.tolist() == sharp.labels.tolist() == [0]
    np.testing.assert_allclose(sharp.maps, plain.maps**1.5, atol=2 / 255)
    assert len(os.listdir('top_k/pseudo/masks')) == 8
