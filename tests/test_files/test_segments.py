"""Segments on disk: label PNGs and the JSON of SAM's mask generator."""
import json
import os

import numpy as np
import pytest
import torch
from PIL import Image

from mmwsss.files import segments
from mmwsss.files.run_lengths import run_lengths
from mmwsss.files.segments import (
    read_segments,
    require_segments,
    segments_digest,
    write_labels,
    write_masks,
)
from mmwsss.problems import DataError

SIZE = (6, 8)


def masks_of(found, size=SIZE):
    """Segments as (S, H, W)."""
    masks = torch.zeros(found.number, size[0] * size[1], dtype=torch.int64)
    masks[found.owners, found.pixels] += 1
    return masks.view(-1, *size).numpy()


def entry(**changes):
    region = np.zeros(SIZE, bool)
    region[1:3] = True
    return dict(segmentation=dict(dict(
        size=list(SIZE), counts=run_lengths(region)), **changes))


@pytest.mark.parametrize('share', [0, 0.1, 0.5, 1])
def test_masks_are_read_as_they_were_written(share, tmp_path):
    masks = np.random.default_rng(0).random((5, *SIZE)) < share
    write_masks(str(tmp_path / 'a.json'), masks, [0.5] * 5)
    np.testing.assert_array_equal(
        masks_of(read_segments(tmp_path, 'a', SIZE)), masks)


def test_packed_run_lengths_as_sam_writes_them(tmp_path):
    mask_api = pytest.importorskip('pycocotools.mask')
    masks = np.random.default_rng(0).random((3, *SIZE)) < 0.5
    entries = []
    for mask in masks:
        packed = mask_api.encode(np.asfortranarray(mask.astype(np.uint8)))
        entries.append(dict(
            segmentation=dict(packed, counts=packed['counts'].decode()),
            area=int(mask.sum()), bbox=[0, 0, 1, 1], predicted_iou=0.9,
            point_coords=[[1, 1]], stability_score=0.9,
            crop_box=[0, 0, *SIZE]))
    (tmp_path / 'a.json').write_text(json.dumps(entries))
    np.testing.assert_array_equal(
        masks_of(read_segments(tmp_path, 'a', SIZE)), masks)


@pytest.mark.parametrize('mode, most', [
    ('P', 255), ('L', 255), ('I;16', 65_535), ('I', 65_535), ('1', 1)])
def test_labels_of_every_depth(mode, most, tmp_path):
    labels = np.random.default_rng(0).integers(0, 2, SIZE) * most
    image = Image.fromarray(labels.astype(np.uint16))
    if mode in 'PL':
        image = Image.fromarray(labels.astype(np.uint8), mode='L')
        if mode == 'P':
            image.putpalette([0, 9, 9] * 256)
    elif mode == '1':
        image = Image.fromarray(labels.astype(bool))
    image.save(tmp_path / 'a.png')
    found = read_segments(tmp_path, 'a', SIZE)
    assert found.number == most
    np.testing.assert_array_equal(masks_of(found)[-1], labels > 0)


def test_labels_are_read_as_they_were_written(tmp_path):
    labels = np.random.default_rng(0).integers(0, 1000, SIZE)
    write_labels(str(tmp_path / 'a.png'), labels)
    found = masks_of(read_segments(tmp_path, 'a', SIZE))
    np.testing.assert_array_equal(
        (found * np.arange(1, 1 + len(found))[:, None, None]).sum(0), labels)
    with pytest.raises(DataError, match='65,536 segments.*make larger'):
        write_labels(str(tmp_path / 'a.png'), labels + 65_536 - labels.max())


@pytest.mark.parametrize('suffix', segments.SUFFIXES)
def test_a_photo_made_smaller_takes_the_nearest_pixels(suffix, tmp_path):
    labels = np.random.default_rng(0).integers(1, 5, (60, 80))
    if suffix == '.png':
        write_labels(str(tmp_path / 'a.png'), labels)
    else:
        write_masks(str(tmp_path / 'a.json'),
                    labels == np.arange(1, 5)[:, None, None], [1] * 4)
    for size in ((6, 8), (15, 20), (23, 31), (60, 80)):
        small = np.asarray(Image.fromarray(labels.astype(np.uint8)).resize(
            size[::-1], Image.Resampling.NEAREST))
        np.testing.assert_array_equal(
            masks_of(read_segments(tmp_path, 'a', size), size),
            small == np.arange(1, 5)[:, None, None])


@pytest.mark.parametrize('name, content', [
    ('a.json', '[]'), ('a.json', json.dumps([entry(counts=[48])]))])
def test_a_photo_without_segments(name, content, tmp_path):
    (tmp_path / name).write_text(content)
    assert not len(read_segments(tmp_path, 'a', SIZE).pixels)
    Image.new('L', SIZE[::-1]).save(tmp_path / 'b.png')
    assert not len(read_segments(tmp_path, 'b', SIZE).pixels)


@pytest.mark.parametrize('content, wrong', [
    ('', 'not valid JSON'), ('{', 'not valid JSON'),
    ('[' * 9999, 'hundreds deep'),
    ('{}', 'no list'), ('7', 'no list'), ('[1]', 'no list'),
    ('[{}]', 'no list'), ('[null]', 'no list'),
    ([dict(segmentation=[[1, 1, 2, 2, 3, 3]])], 'segment 1: no run lengths'),
    ([dict(segmentation=None)], 'segment 1: no run lengths'),
    ([entry(size=None)], 'segment 1: no run lengths'),
    ([entry(size=[6])], 'segment 1: no run lengths'),
    ([entry(size=['6', '8'])], 'segment 1: no run lengths'),
    ([entry(size=[0, 8])], 'segment 1: no run lengths'),
    ([entry(size=[60_000, 80_000])], 'segment 1: no run lengths'),
    ([entry(size=[float('inf'), 8])], 'segment 1: no run lengths'),
    ([entry(size=[8, 6])], 'of a photo of 8 x 6, but 6 x 8'),
    ([entry(size=[3, 4])], 'of a photo of 3 x 4, but 6 x 8'),
    ([entry(), entry(size=[8, 6])], 'segment 2: .* for 8 x 6'),
    ([entry(), entry(counts=[7])], 'segment 2: .* of 7 pixels'),
    ([entry(), entry(counts='~~')], 'segment 2: .* of 28 pixels'),
    ([entry(), entry(counts=[10**30, -10**30, 48])], 'segment 2: .*pixels'),
    ([entry(), dict(segmentation={})], 'segment 2: no run lengths'),
])
def test_bad_masks_are_refused_in_one_line(content, wrong, tmp_path):
    path = tmp_path / 'a.json'
    path.write_text(content if isinstance(content, str) else
                    json.dumps(content))
    refused(tmp_path, path, wrong)


def refused(folder, path, wrong):
    with pytest.raises(DataError, match=wrong) as caught:
        read_segments(str(folder), 'a', SIZE)
    assert str(path) in str(caught.value)
    assert '\n' not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize('image, wrong', [
    (Image.new('RGB', SIZE[::-1]), 'one index a pixel'),
    (Image.new('L', SIZE), 'of a photo of 8 x 6, but 6 x 8'),
    (Image.new('L', (800, 6)), 'of a photo of 6 x 800'),
    (Image.new('I;16', (9000, 9000)), 'of a photo of 9000 x 9000'),
])
def test_bad_labels_are_refused_in_one_line(image, wrong, tmp_path):
    image.save(tmp_path / 'a.png')
    refused(tmp_path, tmp_path / 'a.png', wrong)


def test_damaged_labels(tmp_path):
    path = tmp_path / 'a.png'
    write_labels(str(path), np.arange(1, 49).reshape(SIZE))
    content = path.read_bytes()
    for damaged in (b'', b'GIF89a', content[:40], content[:-30],
                    content[:45] + b'x' + content[46:]):
        path.write_bytes(damaged)
        assert 'tools/extract_segments.py' in refused(
            tmp_path, path, 'cannot be read')
    Image.new('L', SIZE[::-1]).save(path, format='JPEG')
    refused(tmp_path, path, 'cannot be read')


@pytest.mark.parametrize('limit, wrong', [
    (dict(MOST_BYTES=100), 'bytes, the limit is 100'),
    (dict(MOST_SEGMENTS=1), '2 segments, but 1 are'),
    (dict(MOST_PAIRS=31), 'more than 31 pixels')])
def test_limits(limit, wrong, tmp_path, monkeypatch):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps([entry(), entry()]))
    assert len(read_segments(tmp_path, 'a', SIZE).pixels) == 32
    for name, value in limit.items():
        monkeypatch.setattr(segments, name, value)
    refused(tmp_path, path, wrong)


def test_a_missing_file_names_the_tool(tmp_path):
    with pytest.raises(DataError) as caught:
        read_segments(str(tmp_path), 'a', SIZE)
    assert (f'{tmp_path / "a"}.json or .png: no such file of segments; make '
            'it with tools/extract_segments.py PHOTOS --out '
            f'{tmp_path}') in str(caught.value)
    write_labels(str(tmp_path / 'a.png'), np.ones(SIZE, int))
    write_masks(str(tmp_path / 'a.json'), [np.ones(SIZE, bool)], [1])
    with pytest.raises(DataError, match='a.json: there is .*a.png, too'):
        read_segments(str(tmp_path), 'a', SIZE)


def test_all_missing_files_are_reported_together(tmp_path):
    for name in 'ab':
        write_labels(str(tmp_path / f'{name}.png'), np.ones(SIZE, int))
    require_segments(str(tmp_path), ['a', 'b'])
    for folder, names in ((tmp_path, 'c, d'), (tmp_path / 'no', 'a, b, c, d')):
        with pytest.raises(DataError) as caught:
            require_segments(str(folder), ['a', 'b', 'c', 'd'])
        for name in names.split(', '):
            assert f'{folder / name}.json or .png' in str(caught.value)
        assert f'{len(names.split())} problem(s)' in str(caught.value)


def test_the_digest_of_a_folder(tmp_path):
    with pytest.raises(DataError, match='no such folder of segments; make '
                       'it with tools/extract_segments.py'):
        segments_digest(str(tmp_path / 'a'))
    os.makedirs(tmp_path / 'a')
    before = segments_digest(str(tmp_path / 'a'))
    (tmp_path / 'a' / 'notes.txt').write_text('x')
    assert segments_digest(str(tmp_path / 'a')) == before
    write_labels(str(tmp_path / 'a' / 'b.png'), np.ones(SIZE, int))
    assert segments_digest(str(tmp_path / 'a')) != before
