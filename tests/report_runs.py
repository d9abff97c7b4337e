"""Folders of finished work, made without a network."""
import json
import os
import os.path as osp

import numpy as np
from PIL import Image

from mmwsss.apis.photo_records import photo_records, write_photo_records
from mmwsss.files.json_files import write_json
from mmwsss.files.maps import write_map
from mmwsss.files.masks import write_mask
from mmwsss.registry import DATASETS

EVIL = '<script>alert(1)<b>&"\'`${x}'
"""A name that must stay a name."""
CLASSES = ('background', 'cat', EVIL)
PALETTE = [[0, 0, 0], [200, 0, 0], [0, 0, 200]]


def make_run(root, count=30, truths=True, name='run'):
    """A pipeline's folder: a training, masks of photos, doubtful labels.

    Photo i shows a square of class 1 + i % 2; its mask is moved by i pixels.
    """
    data, run = osp.join(root, 'data'), osp.join(root, name)
    part = osp.join(run, 'pseudo_val')
    names = [f'photo{i:02}' for i in range(count - 1)] + [EVIL]
    labels = ['image,labels']
    for folder in ('photos', 'truths'):
        os.makedirs(osp.join(data, folder), exist_ok=True)
    for i, one in enumerate(names):
        truth, mask = np.zeros((2, 48, 64), np.uint8)
        truth[10:30, 10:30] = mask[10:30, 10 + i:30 + i] = 1 + i % 2
        photo = np.full((48, 64, 3), 90, np.uint8)
        photo[truth > 0] = PALETTE[1 + i % 2]
        Image.fromarray(photo).save(osp.join(data, 'photos', f'{one}.jpg'))
        if truths:
            write_mask(osp.join(data, 'truths', f'{one}.png'), truth, PALETTE)
        write_mask(osp.join(part, 'masks', f'{one}.png'), mask, PALETTE)
        write_map(osp.join(part, 'maps', f'{one}.npz'),
                  (mask[None] > 0).astype(np.float32), [i % 2])
        labels.append(','.join(
            '"' + text.replace('"', '""') + '"'
            for text in (f'{one}.jpg', CLASSES[1 + i % 2])))
    with open(osp.join(data, 'labels.csv'), 'w') as file:
        file.write('\n'.join(labels) + '\n')
    dataset = DATASETS.build(dict(
        type='ImageLevelDataset', data_root=data, pipeline=[],
        metainfo=dict(classes=CLASSES, palette=PALETTE),
        data_prefix=dict(img_path='photos', seg_map_path='truths'),
        label_source=dict(type='TableLabels', file='labels.csv')))
    masks = [osp.join(data, 'truths', f'{info["sample_id"]}.png')
             if truths else None
             for info in map(dataset.get_data_info, range(len(dataset)))]
    write_photo_records(part, photo_records(dataset, masks,
                                            osp.join(part, 'masks')))
    scores = dict(images=count, images_with_masks=count if truths else 0,
                  threshold=0.4)
    if truths:
        scores.update(
            mAP=91.5, mIoU=61.25, AP={'cat': 90., EVIL: 93.},
            IoU={'background': 80., 'cat': 51., EVIL: None},
            precision={'background': 80., 'cat': 51., EVIL: None},
            mIoU_curve={f'{i / 10}': 60 - i for i in range(10)})
    write_json(osp.join(part, 'scores.json'), scores)
    write_json(osp.join(part, 'stage.json'), dict(
        key='2', inputs=dict(checkpoint='1'), results=scores, seconds=75.4,
        environment=dict(processor='a processor', Python='3.11'),
        settings={'stage': 'Generate', 'split': 'val', 'randomness.seed': 7}))
    train = osp.join(run, 'localizer')
    os.makedirs(osp.join(train, '2026', 'vis_data'))
    write_json(osp.join(train, 'stage.json'), dict(
        key='1', inputs={}, results=dict(checkpoint='a.pth'), seconds=4000,
        settings={'stage': 'Train', 'randomness.seed': 7}))
    with open(osp.join(train, 'my_localizer.py'), 'w') as file:
        file.write(f'classes = {CLASSES!r}\n')
    with open(osp.join(train, '2026', 'vis_data', 'scalars.json'),
              'w') as file:
        for i in range(1, 6):
            file.write(json.dumps(dict(loss=5 / i, lr=0.1, step=i)) + '\n')
            file.write(json.dumps({'multi-label/mAP': 10 * i, 'step': i})
                       + '\n')
        file.write('{"loss": 1')  # killed
    write_json(osp.join(run, 'doubtful_labels', 'doubtful_labels.json'), dict(
        rows=[{'image': f'{one}.jpg', 'class': CLASSES[1],
               'path': osp.join(data, 'photos', f'{one}.jpg'),
               'tagged': i % 2 == 0, 'probability': 0.3 * i,
               'doubt': 1 - 0.25 * i}
              for i, one in enumerate((EVIL, names[3], names[1]))]))
    return run
