"""Every reader of the project on files that are damaged by chance.

A seeded mutator flips bits, cuts, repeats, fills with garbage or swaps the
kind of a good file. Whatever comes of it, the reader works, or says in one
line what is wrong and names the file.
"""
import io
import json
import os
import random
import signal
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from PIL import Image
from published_files import params_file

from mmwsss.apis.manifest import claim
from mmwsss.conversion.mxnet_params import read_mxnet_params
from mmwsss.datasets.class_prompts import get_class_prompts
from mmwsss.datasets.image_embeddings import read_image_embeddings
from mmwsss.datasets.label_sources import (
    COCOLabels,
    NpyLabels,
    TableLabels,
    VOCXMLLabels,
)
from mmwsss.datasets.text_embeddings import read_text_embeddings
from mmwsss.files.checkpoints import read_checkpoint, weights_digest
from mmwsss.files.json_files import read_json
from mmwsss.files.maps import map_size, read_any_map, write_map
from mmwsss.files.masks import read_mask
from mmwsss.files.photos import photo_size, read_photo
from mmwsss.files.segments import read_segments, write_labels
from mmwsss.preparation.coco_instances import read_instances
from mmwsss.preparation.image_embeddings import find_images
from mmwsss.preparation.mask_archive import MaskArchive
from mmwsss.problems import ConfigError, DataError, Problems

CLASSES = ['dog', 'person']
SECONDS = 5  # that a reader may take for one file
PER_READER = 60  # damaged files for each reader



def picture(path, kind, **options):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 3, (24, 32), dtype=np.uint8)
    image = Image.fromarray(values * 80).convert('RGB')
    if kind == 'mask':
        image = Image.fromarray(values)
    image.save(path, **options)


def maps_npz(path):
    write_map(path, np.random.default_rng(0).random((2, 8, 9)), [0, 1],
              np.array([.5, .5]))


def maps_npy(path):
    np.save(path, {0: np.full((4, 5), .5), 1: np.zeros((4, 5), 'f')})


def irn_npy(path):
    np.save(path, {'keys': torch.tensor([0, 1]),
                   'high_res': np.zeros((2, 4, 5), np.float16)})


def embeddings(path):
    np.savez(path, names=CLASSES, embeddings=np.eye(2, 6, dtype='f'))


def labels_npy(path):
    np.save(path, {'a': np.eye(2)[0], 'b': np.ones(2)})


def text(content):
    def write(path):
        with open(path, 'w') as file:
            file.write(content if isinstance(content, str) else
                       json.dumps(content))
    return write


COCO = dict(
    images=[dict(id=1, file_name='a.jpg', height=24, width=32),
            dict(id=2, file_name='b.jpg', height=24, width=32)],
    annotations=[dict(id=1, image_id=1, category_id=1,
                      segmentation=[[1, 1, 9, 1, 9, 9]]),
                 dict(id=2, image_id=2, category_id=2,
                      segmentation=dict(size=[24, 32], counts=[100, 668]))],
    categories=[dict(id=1, name='dog'), dict(id=2, name='person')])
XML = ('<?xml version="1.0"?><annotation><object><name>dog</name>'
       '<difficult>0</difficult></object></annotation>')


def checkpoint(path, **options):
    torch.save(dict(state_dict=dict(a=torch.eye(3), b=torch.zeros(2)),
                    meta=dict(epoch=1)), path, **options)


def masks_zip(path):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as file:
        for name in 'ab':
            stream = io.BytesIO()
            picture(stream, 'mask', format='PNG')
            file.writestr(f'masks/{name}.png', stream.getvalue())


def read_archive(path):
    archive = MaskArchive(path)
    return [archive.read(name) for name in archive.members]


def labels(source):
    def read(path):
        folder, name = os.path.split(path)
        infos = [dict(img_path='a.jpg'), dict(img_path='b.jpg')]
        return source(name).load(infos, CLASSES, folder)
    return read


def voc_xml(path):
    folder, name = os.path.split(path)
    return VOCXMLLabels(folder).load(
        [dict(img_path=name[:-4] + '.jpg')], CLASSES, '')


def coco_instances(path):
    problems = Problems(path)
    images = read_instances(path, CLASSES, problems)
    problems.raise_if_any()
    return images


def segments(path):
    folder, name = os.path.split(path)
    return read_segments(folder, os.path.splitext(name)[0], (24, 32))


def manifest(path):
    claim(os.path.dirname(path), dict(weights='1', settings='2', images={},
                                      split='train'),
          overwrite=False)


# Reader -> (name of the file, how a good one is written, how it is read).
READERS = {
    'photo_jpg': ('a.jpg', lambda path: picture(path, 'photo'), read_photo),
    'photo_png': ('a.png', lambda path: picture(path, 'photo'), read_photo),
    'photo_size': ('a.jpg', lambda path: picture(path, 'photo'), photo_size),
    'mask': ('a.png', lambda path: picture(path, 'mask'), read_mask),
    'segments_png': ('a.png', lambda path: write_labels(
        path, np.arange(768).reshape(24, 32)), segments),
    'segments_json': ('a.json', text([
        dict(segmentation=dict(size=[24, 32], counts=[100, 600, 68]),
             predicted_iou=0.9, area=600),
        dict(segmentation=dict(
            size=[24, 32], counts='S36b000000000000000000000000000000m8'),
             area=96)]),
        segments),
    'map_npz': ('a.npz', maps_npz, read_any_map),
    'map_size': ('a.npz', maps_npz, map_size),
    'map_npy': ('a.npy', maps_npy, read_any_map),
    'map_irn': ('a.npy', irn_npy, read_any_map),
    'text_embeddings': ('a.npz', embeddings, lambda path:
                        read_text_embeddings(path, CLASSES, 2)),
    'image_embeddings': ('a.npz', embeddings, lambda path:
                         read_image_embeddings(path, CLASSES)),
    'labels_npy': ('a.npy', labels_npy, labels(NpyLabels)),
    'labels_csv': ('a.csv', text('image,labels\na.jpg,dog\nb,dog;person\n'),
                   labels(TableLabels)),
    'labels_json': ('a.json', text(dict(a=['dog'], b=['person'])),
                    labels(TableLabels)),
    'labels_coco': ('a.json', text(COCO), labels(COCOLabels)),
    'labels_xml': ('a.xml', text(XML), voc_xml),
    'coco_instances': ('a.json', text(COCO), coco_instances),
    'image_list': ('a.txt', text('a.jpg\nb.jpg\n'), lambda path:
                   find_images(os.path.dirname(path), path)),
    'class_list': ('a.txt', text('dog, puppy\n# x\nperson\n'),
                   get_class_prompts),
    'checkpoint': ('a.pth', checkpoint, read_checkpoint),
    'old_checkpoint': ('a.pth', lambda path: checkpoint(
        path, _use_new_zipfile_serialization=False), read_checkpoint),
    'weights_digest': ('a.pth', checkpoint, weights_digest),
    'mxnet_params': ('a.params', lambda path: params_file(
        path, {'arg:a': np.eye(3), 'aux:b': np.zeros(2)}, 2),
        read_mxnet_params),
    'mask_archive': ('a.zip', masks_zip, read_archive),
    'stage_json': ('stage.json', text(dict(
        key='1', settings=dict(lr=1), inputs={}, results=None)), read_json),
    'manifest_json': ('manifest.json', text(dict(
        weights='1', settings='2', images=dict(a='3'))), manifest),
}


ODD = [None, -1, 10**30, 1e308, True, '', 'a\x1b[31m\nb', [], [[1]], {},
       {'id': []}, 'x' * 5000]


def other_json(value, rng):
    """A JSON value, one part of which has another type."""
    if not isinstance(value, (dict, list)) or not value or rng.random() < .2:
        return rng.choice(ODD)
    key = rng.choice(list(value) if isinstance(value, dict) else
                     range(len(value)))
    if isinstance(value, dict) and rng.random() < .1:
        return {name: one for name, one in value.items() if name != key}
    changed = value.copy()
    changed[key] = other_json(value[key], rng)
    return changed


def other_array(value, rng):
    """An array of another type, shape or range."""
    value = np.asarray(value)
    return rng.choice([
        lambda: value.astype(str), lambda: value.reshape(-1),
        lambda: value[None], lambda: value[:-1] if value.ndim else value,
        lambda: np.array(rng.choice(ODD), dtype=object),
        lambda: np.full(value.shape, rng.choice([-1, 2**40, 1e300, np.nan])),
        lambda: value.astype(np.complex64) if value.dtype.kind != 'U' else
        value.astype(bytes), lambda: np.zeros((0, 0))])()


def other_types(content, rng):
    """A whole file, in which something has another type or shape."""
    stream = io.BytesIO()
    if content[:1] in b'{[':
        return json.dumps(other_json(json.loads(content), rng)).encode()
    if content[:6] == b'\x93NUMPY' or b'.npy' in content[:64]:
        loaded = np.load(io.BytesIO(content), allow_pickle=True)
        arrays = dict(loaded if content[:2] == b'PK' else loaded.item())
        key = rng.choice(list(arrays))
        arrays[key] = other_array(arrays[key], rng)
        if content[:2] == b'PK':
            np.savez(stream, **arrays)
        else:
            np.save(stream, rng.choice([arrays, {**arrays, (1, 2): 3},
                                        {str(key): 1}, list(arrays)]),
                    allow_pickle=True)
        return stream.getvalue()
    return content[::-1]


def damaged(content, rng, others):
    """The content of a file, damaged in one way."""
    kind = rng.choice(['flip', 'flips', 'cut', 'garbage', 'insert', 'remove',
                       'repeat', 'swap', 'numbers', 'header', 'end',
                       *['types'] * 4])
    data, size = bytearray(content), len(content)
    place = rng.randrange(size)
    if kind.startswith('flip'):
        for _ in range(1 if kind == 'flip' else 20):
            data[rng.randrange(size)] ^= 1 << rng.randrange(8)
    elif kind == 'cut':
        del data[place:]
    elif kind == 'garbage':
        data = bytearray(rng.randbytes(rng.randrange(1, 300)))
    elif kind == 'insert':
        data[place:place] = rng.randbytes(rng.randrange(1, 20))
    elif kind == 'remove':
        del data[place:place + rng.randrange(1, 20)]
    elif kind == 'repeat':
        data[place:place] = data[place:place + 40] * 3
    elif kind == 'swap':
        data = bytearray(rng.choice(others))
    elif kind == 'numbers':
        for old in b'0123456789':
            if rng.random() < .5:
                data = data.replace(bytes([old]), rng.choice(
                    [b'-1', b'null', b'1e999', b'9' * 30, b'"a"', b'[]']))
    elif kind == 'types':
        data = other_types(content, rng)
    elif kind == 'header':
        data[:16] = rng.randbytes(16)
    elif kind == 'end':
        data[-min(size, 30):] = rng.randbytes(min(size, 30))
    return kind, bytes(data)


class TooLong(BaseException):
    """Not an Exception, which a reader might catch."""


@contextmanager
def time_limit(seconds):
    def stop(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def complaint(read, path):
    """What is wrong with how a reader takes a file; None for nothing."""
    try:
        with time_limit(SECONDS):
            read(path)
    except (DataError, ConfigError, FileNotFoundError) as error:
        first, *lines = str(error).split('\n')
        if any(not line.startswith('  ') for line in lines):
            return f'more than one line: {str(error)!r:.300}'
        if os.path.basename(path) not in str(error):
            return f'names no file: {first:.200}'
        return None
    except TooLong:
        return f'over {SECONDS} s'
    except BaseException as error:
        return f'{type(error).__name__}: {error}'.split('\n')[0][:200]
    return None


@pytest.fixture(scope='module')
def good(tmp_path_factory):
    """The content of a good file for each reader."""
    contents = {}
    for reader, (name, write, _) in READERS.items():
        path = str(tmp_path_factory.mktemp(reader) / name)
        write(path)
        with open(path, 'rb') as file:
            contents[reader] = file.read()
    return contents


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('reader', READERS)
def test_a_damaged_file_ends_in_one_line_that_names_it(reader, good, tmp_path,
                                                       monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, _, read = READERS[reader]
    path, rng = tmp_path / name, random.Random(f'17 {reader}')
    path.write_bytes(good[reader])
    if reader != 'image_list':  # whose photos are not there
        read(str(path))
    before = sorted(os.listdir())
    wrong = []
    for number in range(PER_READER):
        kind, content = damaged(good[reader], rng, list(good.values()))
        path.write_bytes(content)
        what = complaint(read, str(path))
        if what is not None:
            wrong.append(f'{number} {kind}: {what}')
    assert not wrong, '\n'.join(wrong)
    assert sorted(os.listdir()) == before


def test_there_are_enough_of_them():
    assert PER_READER * len(READERS) >= 300
