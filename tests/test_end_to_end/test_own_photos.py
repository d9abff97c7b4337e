"""docs/own_photos.md, step by step, on a small scale."""
import glob
import os
import os.path as osp
import re
import shlex
import shutil

import numpy as np
import pytest
from command_lines import run_tool
from PIL import Image
from shapes import ROOT
from tagged_photos import COSTS, make_tagged_photos, make_tiny

from mmwsss.__main__ import main
from mmwsss.apis import best_checkpoint, load_config, train
from mmwsss.apis import test as run_test
from mmwsss.problems import ConfigError, DataError

with open(osp.join(ROOT, 'docs', 'own_photos.md'), encoding='utf-8') as file:
    PAGE = file.read()


def blocks(kind):
    """Code blocks of a kind, '' for those that name none."""
    found = re.findall(r'^```(\w*)\n(.*?)^```$', PAGE, flags=re.S | re.M)
    return [text for name, text in found if name == kind]


def commands(begin):
    """The arguments of the page's commands that begin so."""
    lines = ' '.join(blocks('bash')).replace('\\\n', ' ').splitlines()
    return [shlex.split(line, comments=True)[1:] for line in
            map(str.strip, lines) if line.startswith(begin)]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty folder that becomes what the page says, and its plan."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('mmwsss.apis.planning.measure_costs',
                        lambda *args: COSTS)
    make_tagged_photos(tmp_path)
    shutil.copytree('photos', 'new_photos')
    [command] = commands('mmwsss fit')
    main(['plan', *command[1:], '--weights', 'none'])
    make_tiny('run')
    return tmp_path


def test_two_commands(project, monkeypatch):
    [fit], [predict] = commands('mmwsss fit'), commands('mmwsss predict')
    main([*fit, '--weights', 'none'])
    main(predict)
    files = re.findall(r'`([\w/]+\.(?:json|txt|py|png))`', PAGE.split(
        '## What `fit` wrote')[1].split('## With language')[0])
    assert len(files) >= 7
    for name in set(files) - {'affinity.py', 'gen_pseudo.py'}:
        path = name if name.startswith('run/') else osp.join('run', name)
        assert osp.isfile(path), name
    assert len(os.listdir('new_masks/masks')) == 24
    with Image.open('new_masks/masks/b01.png') as mask:
        assert mask.mode == 'P' and mask.size == (64, 48)
        assert np.asarray(mask).max() <= 2
    # All of it elsewhere, the run under another name.
    moved = project.rename(project.with_name('elsewhere'))
    monkeypatch.chdir(moved)
    os.rename('run', 'run2')
    renamed = [one.replace('run', 'run2') if one == 'run' else one
               for one in (*fit, '--weights', 'none')]
    with monkeypatch.context() as patch:
        patch.setattr('mmwsss.apis.stages.train', None)
        main(renamed)
    main(['predict', 'run2', *predict[2:]])
    main(['report', 'run2'])
    with open('run2/report.html') as page:
        pictures = re.findall(r'<img[^>]*src="([^"]*)"', page.read())
    assert pictures and all(pictures)  # all photos are found again
    assert run_tool('train', 'run2/localizer.py', '--work-dir', 'by_hand',
                    '--cfg-options', 'train_cfg.max_epochs=1') is None
    assert not project.exists()


def test_the_tools_run_the_configs(project):
    """The commands for people who would rather go step by step."""
    for command in commands('$MMWSSS/tools/'):
        [line] = [one for one in ' '.join(blocks('bash')).replace(
            '\\\n', ' ').splitlines() if shlex.split(one)[1:] == command]
        tool = re.search(r'tools/([\w/]+)\.py', line)[1]
        if tool == 'extract_text_embeddings':
            continue  # needs CLIP
        if tool == 'analysis/doubtful_labels':  # without weights, as here
            command += ['--checkpoint', *glob.glob(
                'by_hand/localizer/best_*.pth')]
        arguments = [path for one in command
                     for path in (glob.glob(one) or [one])]
        assert run_tool(tool, *arguments) is None, line
    assert osp.isfile('by_hand/pseudo/overlays.png')
    assert sorted(os.listdir('by_hand/predictions')) == sorted(
        osp.splitext(osp.basename(name))[0] + '.png'
        for name in open('run/val.txt').read().split())
    cfg = load_config('run/segmentor.py', work_dir='by_hand/segmentor')
    checkpoint = best_checkpoint('by_hand/segmentor')
    run_test(cfg, checkpoint)  # nothing to score, nothing to write
    cfg.test_evaluator.format_only = False
    with pytest.raises(DataError, match='no mask to score'):
        run_test(cfg, checkpoint)


def test_documented_options_exist():
    """Each option on the page is one that a command line has."""
    source = ''
    for path in ('mmwsss/__main__.py', 'mmwsss/apis/command_line.py',
                 'benchmarks/doubtful_labels.py',
                 *(f'tools/{name}.py' for name in (
                     'train', 'gen_pseudo', 'test',
                     'extract_text_embeddings', 'analysis/doubtful_labels'))):
        with open(osp.join(ROOT, path), encoding='utf-8') as file:
            source += file.read()
    options = set(re.findall(r'--[a-z][\w-]+', PAGE))
    assert len(options) > 12
    assert not {one for one in options if f"'{one}'" not in source}


def test_documented_table_is_read(tmp_path):
    from mmwsss.datasets.label_files import find_label_source, named_classes
    [table] = [block for block in blocks('') if 'image,labels' in block]
    (tmp_path / 'labels.csv').write_text(table)
    assert named_classes(find_label_source(
        str(tmp_path / 'labels.csv')), str(tmp_path)) == ['dog', 'person']


def test_language_without_clip(project):
    [block] = [text for text in blocks('python') if 'textual_tokens' in text]
    with open('run/localizer.py') as source:
        text = source.read().replace('mctformer_plus_', 'mmct_')
    with open('run/localizer.py', 'w') as out:
        out.write(text + block.replace("'my_text_embeddings.npz'",
                                       "'learned'"))
    cfg = load_config('run/localizer.py', work_dir='language')
    assert cfg.model.textual_tokens.text_embeddings == 'learned'
    cfg.model.visual_context.last_layers = 2
    cfg.model.test_cfg.attention_layers = 3
    cfg.train_cfg.max_epochs = 1
    train(cfg)
    best_checkpoint(cfg.work_dir)


def test_fewer_photos_than_a_batch(project):
    cfg = load_config('run/localizer.py',
                      {'train_dataloader.batch_size': 22})
    with pytest.raises(ConfigError, match='21 photos do not fill one batch'):
        train(cfg)
