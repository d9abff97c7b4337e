"""OpenImages30k: converter, data set, config and the way to PxAP."""
import glob
import os
import os.path as osp

import numpy as np
import pytest
from command_lines import logged, run_tool
from PIL import Image
from shapes import ROOT

from mmwsss.apis import (
    evaluate_pseudo_labels,
    generate_pseudo_labels,
    load_config,
    train,
)
from mmwsss.datasets.class_prompts import get_class_prompts
from mmwsss.preparation.openimages import convert_openimages
from mmwsss.problems import DataError
from mmwsss.registry import DATASETS

MIDS = ('0bt_c3', '0bt9lr')
COUNTS = dict(train=6, val=4, test=4)


@pytest.fixture
def published(tmp_path):
    """The published layout with two classes and some photos of each."""
    rng = np.random.default_rng(0)
    root = tmp_path / 'published'
    for split, count in COUNTS.items():
        lists = {'image_ids': [], 'class_labels': [], 'localization': []}
        for i in range(count):
            label = i % 2
            # One id in two class folders: names must not collide.
            stem = f'{split}/{MIDS[label]}/{i // 2:016x}'
            os.makedirs(osp.dirname(root / stem), exist_ok=True)
            photo = rng.integers(90, 160, (48, 64, 3), dtype=np.uint8)
            photo[8:24, 8:40, 2 * label] = 240
            Image.fromarray(photo).save(root / f'{stem}.jpg')
            lists['image_ids'].append(f'{stem}.jpg')
            lists['class_labels'].append(f'{stem}.jpg,{label}')
            if split == 'train':
                continue
            # Masks at half the size, the ignored box around both.
            for part, columns in (('a', slice(4, 12)), ('b', slice(12, 20))):
                mask = np.zeros((24, 32), np.uint8)
                mask[4:12, columns] = 255
                name = f'{stem}_m{MIDS[label]}_{part}.png'
                Image.fromarray(mask).convert('1').save(root / name)
                ignore = f'{stem}_ignore.png' if part == 'a' else ''
                lists['localization'].append(f'{stem}.jpg,{name},{ignore}')
            box = np.zeros((24, 32), np.uint8)
            box[2:14, 2:20] = 255
            Image.fromarray(box).save(root / f'{stem}_ignore.png')
        os.makedirs(root / 'metadata' / split)
        for name, lines in lists.items():
            if lines:
                (root / 'metadata' / split / f'{name}.txt').write_text(
                    '\n'.join(lines) + '\n')
    (root / 'names.csv').write_text(
        '/m/0bt9lr,Dog\n/m/0other,Cat\n/m/0bt_c3,Book\n')
    return root


def convert(root, out, **kwargs):
    convert_openimages(str(root / 'metadata'), str(root),
                       str(root / 'names.csv'), str(out), **kwargs)


def build(out, split):
    return DATASETS.build(dict(
        type='OpenImagesDataset', data_root=str(out),
        data_prefix=dict(img_path='JPEGImages',
                         seg_map_path='SegmentationClass'),
        ann_file=f'ImageSets/Segmentation/{split}.txt',
        label_source=dict(type='TableLabels', file='labels.csv')))


def test_layout(published, tmp_path):
    out = tmp_path / 'out'
    convert(published, out)
    assert list(get_class_prompts(str(out / 'classes.txt'))) == [
        'Book', 'Dog']
    for split, count in COUNTS.items():
        data = build(out, split)
        assert len(data) == count
        assert data.metainfo['classes'] == ('background', 'Book', 'Dog')
        assert data.labels.tolist() == [[1, 0], [0, 1]] * (count // 2)
        infos = [data.get_data_info(i) for i in range(count)]
        assert len({info['sample_id'] for info in infos}) == count
        masks = [info['seg_map_path'] for info in infos]
        assert all(osp.isfile(path) == (split != 'train') for path in masks)
    for label in (0, 1):
        mask = np.asarray(Image.open(masks[label]))
        expected = np.zeros((48, 64), np.uint8)
        expected[4:28, 4:40] = 255
        expected[8:24, 8:40] = label + 1  # the union wins over the ignored
        assert np.array_equal(mask, expected)


def test_everything_missing_is_reported_together(published, tmp_path):
    os.remove(published / 'val/0bt_c3' / f'{0:016x}.jpg')
    os.remove(published / 'test/0bt9lr' / f'{0:016x}_ignore.png')
    os.remove(published / 'metadata/train/class_labels.txt')
    (published / 'names.csv').write_text('/m/0bt9lr,Dog\n')
    with pytest.raises(DataError) as caught:
        convert(published, tmp_path / 'out')
    message = str(caught.value)
    for part in ('0bt_c3/0000000000000000.jpg is missing', '_ignore.png is',
                 'train/class_labels.txt is missing', 'no name for /m/0bt_c3'):
        assert part in message
    assert not glob.glob(str(tmp_path / 'out' / '*'))


@pytest.mark.parametrize('name, line, message', [
    ('class_labels.txt', 'val/0bt_c3/x.jpg,one', "'one' is no class index"),
    ('image_ids.txt', 'val/0bt_c3/x.jpg', 'x.jpg is not in class_labels.txt'),
    ('image_ids.txt', f'val/0bt_c3/{0:016x}.jpg', 'a second time'),
    ('localization.txt', 'val/0bt_c3/x.jpg,a.png,', 'not in image_ids.txt'),
    ('localization.txt', 'val/0bt_c3/x.jpg', 'line 9: expected 3 fields'),
])
def test_wrong_lists(published, tmp_path, name, line, message):
    with open(published / 'metadata' / 'val' / name, 'a') as file:
        file.write(line + '\n')
    with pytest.raises(DataError, match=message):
        convert(published, tmp_path / 'out')


def test_names_that_would_break_the_tables(published, tmp_path):
    (published / 'names.csv').write_text(
        '/m/0bt9lr,Dog\n/m/0bt_c3,"Book, thick"\n')
    with pytest.raises(DataError, match="'Book, thick'; give it a name"):
        convert(published, tmp_path / 'out')


def test_an_interrupted_run_goes_on(published, tmp_path):
    out = tmp_path / 'out'
    damaged = published / 'test/0bt9lr' / f'{1:016x}_m0bt9lr_b.png'
    good = damaged.read_bytes()
    damaged.write_bytes(good[:40])
    with pytest.raises(DataError, match='_b.png: mask cannot be read'):
        convert(published, out)
    assert not osp.exists(out / 'labels.csv')
    masks = glob.glob(str(out / 'SegmentationClass' / '*.png'))
    assert len(masks) == 7
    times = [os.stat(path).st_mtime_ns for path in masks]
    damaged.write_bytes(good)
    convert(published, out)
    assert [os.stat(path).st_mtime_ns for path in masks] == times
    assert len(build(out, 'test')) == 4


TINY = '''
_base_ = '{root}/configs/mmct_openimages.py'
data_root = {data_root!r}
loader = dict(batch_size=2, num_workers=0, persistent_workers=False)
train_dataloader = dict(dataset=dict(data_root=data_root), **loader)
val_dataloader = dict(dataset=dict(data_root=data_root), **loader)
localize_workers = 0
model = dict(
    backbone=dict(
        num_classes=2, pretrained=None, img_size=224, patch_size=32,
        arch=dict(_delete_=True, embed_dims=32, num_layers=3, num_heads=2,
                  feedforward_channels=64)),
    textual_tokens=dict(text_embeddings='learned'),
    visual_context=dict(last_layers=2),
    test_cfg=dict(attention_layers=2, affinity_layers=3))
train_cfg = dict(max_epochs=1, val_interval=1)
'''


def test_from_the_config_to_pxap(published, tmp_path):
    out = tmp_path / 'out'
    convert(published, out)
    path = tmp_path / 'tiny.py'
    path.write_text(TINY.format(root=ROOT, data_root=str(out)))
    cfg = load_config(str(path), work_dir=str(tmp_path / 'run'))
    train(cfg)
    [checkpoint] = glob.glob(str(tmp_path / 'run' / 'epoch_*.pth'))
    pseudo = tmp_path / 'pseudo'
    scores = generate_pseudo_labels(cfg, checkpoint, str(pseudo), 'test')
    assert scores['images_with_masks'] == 4
    file = np.load(glob.glob(str(pseudo / 'maps' / '*.npz'))[0],
                   allow_pickle=False)
    # Localized at 224 x 224, stored at a quarter of the photo.
    assert file['size'].tolist() == [48, 64]
    assert file['maps'].shape == (1, 12, 16)
    report = evaluate_pseudo_labels(
        str(pseudo / 'maps'), str(out / 'SegmentationClass'),
        tuple(get_class_prompts(str(out / 'classes.txt'))), pxap=True,
        allow_missing=True)  # masks of val lie there, too
    assert 0 < report['PxAP'] <= 100 and 0 < report['pIoU'] <= 100


def test_command_line(published, tmp_path):
    with logged() as lines:
        assert run_tool(
            'dataset_converters/openimages', tmp_path / 'out', '--metadata',
            published / 'metadata', '--images', published, '--class-names',
            published / 'names.csv', '--splits', 'val') is None
    assert any('4 photos, 4 with masks' in line for line in lines)


@pytest.mark.parametrize('path', [
    '../outside/x.jpg', 'val/../../x.jpg', '/etc/x.jpg', 'x.jpg',
    'val\\..\\x.jpg', 'val//x.jpg', './val/x.jpg', '..'])
def test_ids_that_lead_out_of_the_folder(published, tmp_path, path):
    (published.parent / 'outside').mkdir()
    (published.parent / 'outside' / 'x.jpg').touch()
    for name, line in (('image_ids', path), ('class_labels', f'{path},0')):
        with open(published / 'metadata/val' / f'{name}.txt', 'a') as file:
            file.write(line + '\n')
    with pytest.raises(DataError, match='line 5: .* is not a path such as'):
        convert(published, tmp_path / 'out')
    assert not glob.glob(str(tmp_path / 'out' / '*'))


@pytest.mark.parametrize('columns', ['../m.png,', 'val/a.png,/etc/m.png',
                                     ',val/a.png'])
def test_masks_that_lead_out_of_the_folder(published, tmp_path, columns):
    with open(published / 'metadata/val/localization.txt', 'a') as file:
        file.write(f'val/0bt_c3/{0:016x}.jpg,{columns}\n')
    with pytest.raises(DataError, match='localization.txt line 9: .* path'):
        convert(published, tmp_path / 'out')


@pytest.mark.parametrize('index', ['254', '9' * 5000, '²', '-1', '1.0', ''])
def test_class_indices_that_no_mask_has_room_for(published, tmp_path, index):
    with open(published / 'metadata/val/class_labels.txt', 'a') as file:
        file.write(f'val/0bt_c3/x.jpg,{index}\n')
    with pytest.raises(DataError, match='line 5: .* is no class index'):
        convert(published, tmp_path / 'out')


def test_two_photos_that_would_get_one_name(published, tmp_path):
    for stem in ('val/a/b_c', 'val/a_b/c'):
        os.makedirs(osp.dirname(published / stem), exist_ok=True)
        Image.new('RGB', (4, 4)).save(published / f'{stem}.jpg')
        for name, line in (('image_ids', f'{stem}.jpg'),
                           ('class_labels', f'{stem}.jpg,0')):
            with open(published / 'metadata/val' / f'{name}.txt', 'a') as file:
                file.write(line + '\n')
    with pytest.raises(DataError, match='would both be called val_a_b_c'):
        convert(published, tmp_path / 'out')


@pytest.mark.parametrize('name', ['metadata/val/image_ids.txt', 'names.csv',
                                  'metadata/test/localization.txt'])
def test_lists_in_another_encoding(published, tmp_path, name):
    path = published / name
    text = path.read_text()
    path.write_bytes(text.encode('utf-8-sig'))
    convert(published, tmp_path / 'out')
    path.write_bytes(text.encode() + b'caf\xe9,,\n')
    line = text.count('\n') + 1
    with pytest.raises(DataError, match=f'{name} line {line}: byte 0xe9'):
        convert(published, tmp_path / 'other')
