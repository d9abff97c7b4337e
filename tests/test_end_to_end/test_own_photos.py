"""docs/own_photos.md, step by step, with the configs that it shows."""
import csv
import glob
import os
import os.path as osp
import re

import numpy as np
import pytest
from PIL import Image
from shapes import ROOT

from mmwsss.apis import (
    best_checkpoint,
    generate_pseudo_labels,
    load_config,
    train,
)
from mmwsss.apis import test as run_test
from mmwsss.problems import ConfigError, DataError

with open(osp.join(ROOT, 'docs', 'own_photos.md'), encoding='utf-8') as file:
    PAGE = file.read()

# What makes the documented configs quick; nothing that the page is about.
SMALL = '''
_base_ = '{name}.py'
localize_workers = 0
train_dataloader = dict(batch_size=4, num_workers=0, persistent_workers=False)
{loader} = dict(num_workers=0, persistent_workers=False)
model = dict(backbone=dict(
    pretrained=None, img_size=48, patch_size=16,
    arch=dict(_delete_=True, embed_dims=32, num_layers=3, num_heads=2,
              feedforward_channels=64)), {more})
'''
SMALL_LOCALIZER = SMALL.format(
    name='localizer', loader='val_dataloader',
    more='test_cfg=dict(affinity_layers=3)') + '''
train_cfg = dict(max_epochs=2, val_interval=1)
'''
SMALL_SEGMENTOR = SMALL.format(
    name='segmentor', loader='test_dataloader',
    more='decode_head=dict(in_channels=32, channels=16)') + '''
train_cfg = dict(max_iters=2)
default_hooks = dict(checkpoint=dict(interval=2))
'''


def blocks(kind):
    """Code blocks of a kind, '' for those that name none."""
    found = re.findall(r'^```(\w*)\n(.*?)^```$', PAGE, flags=re.S | re.M)
    return [text for name, text in found if name == kind]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty folder that becomes what the page says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MMWSSS', ROOT)
    rng = np.random.default_rng(0)
    os.makedirs('photos/more')
    rows = [('image', 'labels')]
    for i in range(6):
        photo = rng.integers(90, 160, (64, 80, 3), dtype=np.uint8)
        photo[10:40, 10:40, 2 * (i % 2)] = 240
        name = ('more/a{}.jpg', 'b{}.png', 'c{}.JPG')[i % 3].format(i)
        Image.fromarray(photo).save(osp.join('photos', name))
        rows.append((osp.basename(name), ('dog', 'person', 'dog;person')[i
                                                                        % 3]))
    with open('labels.csv', 'w', newline='') as out:
        csv.writer(out).writerows(rows)
    for block in blocks('python'):
        found = re.match(r'# (\w+\.py)\n', block)
        if found:
            with open(found[1], 'w') as out:
                out.write(block)
    for name, text in (('small_localizer', SMALL_LOCALIZER),
                       ('small_segmentor', SMALL_SEGMENTOR)):
        with open(f'{name}.py', 'w') as out:
            out.write(text)
    return tmp_path


def test_from_photos_and_a_table_to_masks_of_new_photos(project):
    assert sorted(glob.glob('*.py')) == [
        'localizer.py', 'my_classes.py', 'segmentor.py', 'small_localizer.py',
        'small_segmentor.py']
    cfg = load_config('small_localizer.py', work_dir='work_dirs/localizer')
    train(cfg)
    checkpoint = best_checkpoint('work_dirs/localizer')
    assert osp.basename(checkpoint).startswith('best_')  # as the page names it
    out = 'work_dirs/localizer/pseudo/train'
    scores = generate_pseudo_labels(cfg, checkpoint, out)
    assert scores['images'] == 6 and scores['images_with_masks'] == 0
    assert scores['threshold_rule'] == 'auto'
    assert osp.isfile(osp.join(out, 'overlays.png'))

    cfg = load_config('small_segmentor.py')
    train(cfg)
    checkpoint = best_checkpoint('work_dirs/small_segmentor')
    for tta in (False, True):
        predictions = f'predictions_{tta}'
        assert run_test(cfg, checkpoint, tta, predictions) == {}
        assert sorted(os.listdir(predictions)) == [
            'a0.png', 'a3.png', 'b1.png', 'b4.png', 'c2.png', 'c5.png']
        with Image.open(osp.join(predictions, 'a0.png')) as mask:
            assert mask.mode == 'P' and mask.size == (80, 64)
            assert mask.getpalette()[3:6] == [200, 80, 40]
            assert np.asarray(mask).max() <= 2
    os.makedirs('new_photos')
    Image.open('photos/b1.png').save('new_photos/holiday.webp')
    cfg = load_config('small_segmentor.py', {
        'test_dataloader.dataset.data_prefix.img_path': 'new_photos'})
    run_test(cfg, checkpoint, True, 'new_masks')
    assert os.listdir('new_masks') == ['holiday.png']
    run_test(cfg, checkpoint)  # nothing to score, nothing to write
    cfg.test_evaluator.format_only = False
    with pytest.raises(DataError, match='holiday.webp: no mask to score'):
        run_test(cfg, checkpoint)


def test_documented_options_exist(project):
    """Each option of the commands on the page is one of the tool's."""
    commands = ' '.join(blocks('bash')).replace('\\\n', ' ').splitlines()
    seen = {}
    for command in commands:
        found = re.search(r'\$MMWSSS/(tools/\w+\.py)(.*)', command)
        if found:
            seen.setdefault(found[1], set()).update(
                re.findall(r'--[\w-]+', found[2]))
    assert set(seen) == {
        f'tools/{name}.py' for name in ('train', 'gen_pseudo', 'test',
                                        'extract_text_embeddings')}
    for tool, options in seen.items():
        source = ''
        for path in (tool, 'mmwsss/apis/command_line.py'):
            with open(osp.join(ROOT, path), encoding='utf-8') as file:
                source += file.read()
        missing = [o for o in options if f"'{o}'" not in source]
        assert not missing, (tool, missing)


def test_documented_table_is_read(project):
    """The names in the page's table are classes of the page's config."""
    [table] = [block for block in blocks('') if 'image,labels' in block]
    names = {name for line in table.splitlines()[1:]
             for name in line.split(',')[1].split(';')}
    assert names <= set(
        load_config('localizer.py').train_dataloader.dataset.metainfo.classes)


def test_language_without_clip(project):
    [block] = [text for text in blocks('python') if 'textual_tokens' in text]
    with open('localizer.py') as source:
        text = source.read()
    text = text.replace('mctformer_plus_', 'mmct_').replace(
        'model = dict(backbone=dict(num_classes=2))', block.replace(
            "'my_text_embeddings.npz'", "'learned'"))
    with open('localizer.py', 'w') as out:
        out.write(text)
    cfg = load_config('small_localizer.py')
    assert cfg.model.textual_tokens.text_embeddings == 'learned'
    cfg.model.visual_context.last_layers = 2
    cfg.model.test_cfg.attention_layers = 3
    cfg.train_cfg.max_epochs = 1
    train(cfg)
    best_checkpoint(cfg.work_dir)


def test_fewer_photos_than_a_batch(project):
    cfg = load_config('small_localizer.py', {'train_dataloader.batch_size': 7})
    with pytest.raises(ConfigError, match='6 photos do not fill one batch'):
        train(cfg)
