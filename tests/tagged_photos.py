"""A folder of photos with a table of tags, and networks that learn fast."""
import csv
import os
import os.path as osp

import numpy as np
from PIL import Image

from mmwsss.apis.costs import Costs
from mmwsss.apis.fingerprint import TaggedPhotos

TAGS = (['dog'], ['person'], ['dog', 'person'])
COSTS = Costs(localizer_step=0.2, maps_photo=0.05, segmentor_step=0.3,
              test_photo=0.1, affinity_step=0.4, affinity_photo=0.5)
"""Of a machine that is not asked."""

_TINY = '''
model['backbone'].update(
    img_size=48, patch_size=16,
    arch=dict(_delete_=True, embed_dims=32, num_layers=3, num_heads=2,
              feedforward_channels=64))
for loader in (train_dataloader, {loader}):
    if loader is not None:
        loader.update(num_workers=0, persistent_workers=False)
'''
TINY_LOCALIZER = _TINY.format(loader='val_dataloader') + '''
train_dataloader.update(batch_size=4)
model['test_cfg'] = dict(affinity_layers=3)
train_cfg = dict(max_epochs=2, val_interval=1)
localize_workers = 0
'''
TINY_SEGMENTOR = _TINY.format(loader='test_dataloader') + '''
train_dataloader.update(batch_size=4)
model['decode_head'] = dict(in_channels=32, channels=16)
train_cfg = dict(max_iters=3)
default_hooks = dict(checkpoint=dict(interval=1))
'''


def make_tagged_photos(root, count=24, tags=TAGS, size=(48, 64)):
    """Write ``photos/`` and ``labels.csv``; returns both paths."""
    rng = np.random.default_rng(0)
    os.makedirs(osp.join(root, 'photos', 'more'))
    rows = [('image', 'labels')]
    for i in range(count):
        photo = rng.integers(90, 160, (*size, 3), dtype=np.uint8)
        names = tags[i % len(tags)]
        for channel, name in ((0, 'dog'), (2, 'person')):
            if name in names:
                photo[8:30, 8 + 12 * channel:30 + 12 * channel, channel] = 250
        name = ('more/a{:02}.jpg', 'b{:02}.png', 'c{:02}.JPG')[i % 3].format(i)
        Image.fromarray(photo).save(osp.join(root, 'photos', name))
        rows.append((osp.basename(name), ';'.join(names)))
    write_tags(osp.join(root, 'labels.csv'), rows[1:])
    return osp.join(root, 'photos'), osp.join(root, 'labels.csv')


def write_tags(path, rows):
    """Write a table of (photo, tags)."""
    with open(path, 'w', newline='') as file:
        csv.writer(file).writerows([('image', 'labels'), *rows])


def make_tiny(work_dir):
    """Change the configs of a plan by hand: networks of a few weights."""
    for name, text in (('localizer', TINY_LOCALIZER),
                       ('segmentor', TINY_SEGMENTOR)):
        with open(osp.join(work_dir, f'{name}.py'), 'a') as file:
            file.write(text)


def tagged(labels, names=None, digests=None):
    """Photos that are nowhere, with these multi-hot labels."""
    labels = np.asarray(labels, dtype=np.float32)
    count, classes = labels.shape
    names = names or [f'class{i}' for i in range(classes)]
    return TaggedPhotos(
        '/photos', {}, ['background', *names], [[0, 0, 0]] * (classes + 1),
        [f'{i}.jpg' for i in range(count)], labels,
        np.full((count, 2), (30, 40)),
        digests or [str(i) for i in range(count)])
