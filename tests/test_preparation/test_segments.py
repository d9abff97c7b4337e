"""Segments of photos, from superpixels and from SAM."""
import json
import os
import runpy
import sys
import types

import numpy as np
import pytest
import torch
from command_lines import logged, run_tool
from PIL import Image
from shapes import ROOT

from mmwsss.files.segments import read_segments
from mmwsss.preparation import extract_segments, segments
from mmwsss.problems import DataError

pytest.importorskip('skimage')
SIZE = (48, 60)


@pytest.fixture
def photos(tmp_path):
    """Three photos with a red square on grey, and where it is."""
    folder = tmp_path / 'photos'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        pixels = np.full((*SIZE, 3), 128) + rng.integers(0, 6, (*SIZE, 3))
        pixels[10:30, 20:44] = 220, 20, 20
        Image.fromarray(pixels.astype(np.uint8)).save(
            folder / f'photo_{number}.png')
    return folder


def cut(folder, name='photo_0', size=SIZE):
    """Of each segment, its pixels inside of the square and all of them."""
    found = read_segments(str(folder), name, size)
    inside = torch.zeros(SIZE, dtype=torch.bool)
    inside[10:30, 20:44] = True
    return [(int(inside.flatten()[pixels].sum()), len(pixels)) for pixels in (
        found.pixels[found.owners == i] for i in range(found.number))]


@pytest.mark.parametrize('method, options', [
    ('slic', dict(n_segments=20)), ('slic', dict(n_segments=40)),
    ('felzenszwalb', {}), ('felzenszwalb', dict(scale='10', min_size='5'))])
def test_superpixels_keep_to_the_outlines(method, options, photos, tmp_path):
    out = str(tmp_path / 'out')
    assert extract_segments(photos, out, method, options, num_workers=0) == 3
    parts = cut(out)
    assert sum(total for _, total in parts) == SIZE[0] * SIZE[1]
    assert sum(min(inside, total - inside) for inside, total in parts) < 40
    assert sum(inside > total / 2 for inside, total in parts) >= 1


def test_the_number_of_superpixels_follows_the_options(photos, tmp_path):
    few, many = (read_segments(str(tmp_path / f'{count}'), 'photo_0', SIZE)
                 .number for count in (20, 80) if extract_segments(
                     photos, str(tmp_path / f'{count}'), 'slic',
                     dict(n_segments=count), num_workers=0))
    assert 4 < few < many / 2


def test_a_run_goes_on_where_it_stopped(photos, tmp_path, monkeypatch):
    out, whole = str(tmp_path / 'out'), str(tmp_path / 'whole')
    extract_segments(photos, whole, num_workers=0)
    written = []

    def stop(path, labels):
        if len(written) == 1:
            raise KeyboardInterrupt
        written.append(path)
        write(path, labels)

    write = segments.write_labels
    with monkeypatch.context() as patch:
        patch.setattr(segments, 'write_labels', stop)
        with pytest.raises(KeyboardInterrupt):
            extract_segments(photos, out, num_workers=0)
    assert len(written) == 1
    before = os.stat(written[0]).st_mtime_ns
    assert extract_segments(photos, out, num_workers=0) == 2
    assert os.stat(written[0]).st_mtime_ns == before
    assert sorted(os.listdir(out)) == sorted(os.listdir(whole))
    for name in os.listdir(whole):
        with open(f'{out}/{name}', 'rb') as a, open(f'{whole}/{name}',
                                                    'rb') as b:
            assert a.read() == b.read()
    with pytest.raises(DataError, match="holds .*felzenszwalb.*another fold"):
        extract_segments(photos, out, 'slic', num_workers=0)
    with pytest.raises(DataError, match='holds .*give another folder'):
        extract_segments(photos, out, options=dict(scale=7), num_workers=0)


def test_segments_of_others_are_left_alone(photos, tmp_path):
    (tmp_path / 'photo_0.json').write_text('[]')
    with pytest.raises(DataError, match='unknown origin'):
        extract_segments(photos, str(tmp_path), num_workers=0)


def test_a_list_names_a_part_of_the_photos(photos, tmp_path):
    (tmp_path / 'list.txt').write_text('photo_2\n')
    out = str(tmp_path / 'out')
    assert run_tool('extract_segments', photos, '--out', out, '--list',
                    tmp_path / 'list.txt', '--num-workers', 0) is None
    assert 'photo_2.png' in os.listdir(out)
    assert 'photo_1.png' not in os.listdir(out)


def test_large_photos_are_made_smaller(photos, tmp_path):
    out = str(tmp_path / 'out')
    extract_segments(photos, out, max_side=30, num_workers=0)
    assert len(read_segments(out, 'photo_0', (24, 30)).pixels) == 24 * 30
    with pytest.raises(DataError, match='of a photo of 24 x 30'):
        read_segments(out, 'photo_0', SIZE)


@pytest.mark.parametrize('arguments, wrong', [
    (dict(method='slik'), "unknown method 'slik' .did you mean 'slic'"),
    (dict(options=dict(scal=1)), "unknown option of felzenszwalb 'scal'"),
    (dict(options=dict(scale='x')), "scale='x': give a number"),
    (dict(options=dict(min_size='1.5')), "min_size='1.5': give a whole"),
    (dict(method='sam'), 'sam needs a model'),
    (dict(model='facebook/sam-vit-huge'), 'superpixels none'),
    (dict(photos='nowhere'), 'no such folder of photos'),
    (dict(method='slic', options=dict(n_segments=-4)),
     'photo_0.png: no segments can be made with these options'),
])
def test_mistakes_are_one_line(arguments, wrong, photos, tmp_path):
    with pytest.raises(DataError, match=wrong) as caught:
        extract_segments(**dict(dict(
            photos=photos, out_dir=str(tmp_path / 'out'), num_workers=0),
            **arguments))
    assert '\n' not in str(caught.value)


def test_a_damaged_photo_and_one_name_for_two(photos, tmp_path):
    out = str(tmp_path / 'out')
    (photos / 'z.jpg').write_bytes(b'no photo')
    with pytest.raises(DataError, match='z.jpg: damaged'):
        extract_segments(photos, out, num_workers=0)
    assert len(os.listdir(out)) == 4  # three photos, and the record
    (photos / 'photo_0.jpg').write_bytes(b'')
    with pytest.raises(DataError, match="the name 'photo_0' is taken"):
        extract_segments(photos, out, num_workers=0)


@pytest.mark.parametrize('method, package, model', [
    ('slic', 'scikit-image', None), ('felzenszwalb', 'scikit-image', None),
    ('sam', '"transformers<5"', 'facebook/sam-vit-base')])
def test_a_missing_package_is_named(method, package, model, photos, tmp_path,
                                    monkeypatch):
    monkeypatch.setattr(segments, 'find_spec', lambda name: None)
    with pytest.raises(DataError, match=f'pip install {package}'):
        extract_segments(photos, str(tmp_path / 'out'), method, model=model)


def test_tool_in_a_process_of_its_own(photos, tmp_path):
    out = tmp_path / 'out'
    arguments = ('extract_segments', photos, '--out', out, '--method', 'slic',
                 '--options', 'n_segments=20', '--num-workers', 1)
    with logged() as lines:
        assert run_tool(*arguments) is None
        assert run_tool(*arguments) is None
    assert [line.split('segments of ')[1] for line in lines] == [
        '3 photos, 3 of them new', '3 photos, 0 of them new']
    assert run_tool('extract_segments', photos, '--out', out, '--options',
                    'scale') == "error: scale='': give a number"


def test_the_tool_knows_all_methods():
    tool = runpy.run_path(os.path.join(ROOT, 'tools', 'extract_segments.py'))
    assert set(tool['METHODS']) == set(segments.METHODS)


class Generator:
    """What transformers' pipeline is called with and gives."""

    calls = []

    def __init__(self, task, **options):
        self.calls.append((task, options))
        if not os.path.isdir(options['model']):
            raise OSError('not a local folder\nand not on the hub')

    def __call__(self, image, **options):
        self.calls.append(options)
        masks = torch.zeros(3, *image.size[::-1], dtype=torch.bool)
        masks[0, 10:30, 20:44] = True
        masks[1, 10:30, 20:30] = True
        masks[2, :10] = True
        return dict(masks=list(masks), scores=torch.tensor([.9, .8, .7]))


@pytest.fixture
def stub(monkeypatch):
    """transformers, with ``Generator`` as its pipeline."""
    module = types.ModuleType('transformers')
    module.pipeline = Generator
    monkeypatch.setitem(sys.modules, 'transformers', module)
    monkeypatch.setattr(segments, 'find_spec', lambda name: True)
    monkeypatch.setattr(Generator, 'calls', [])


def test_sam_is_called_as_transformers_has_it(stub, photos, tmp_path):
    out, model = str(tmp_path / 'out'), tmp_path / 'model'
    model.mkdir()
    assert extract_segments(photos, out, 'sam', dict(pred_iou_thresh='0.7'),
                            str(model), device='cpu') == 3
    (task, options), *calls = Generator.calls
    assert task == 'mask-generation' and options == dict(
        model=str(model), device=torch.device('cpu'),
        model_kwargs=dict(use_safetensors=True))
    assert calls == [dict(segments.METHODS['sam'], pred_iou_thresh=0.7)] * 3
    assert cut(out, 'photo_1') == [(480, 480), (200, 200), (0, 600)]
    with open(f'{out}/photo_1.json') as file:
        first = json.load(file)[0]
    assert first['area'] == 480
    assert first['predicted_iou'] == pytest.approx(0.9)
    # Other weights in the folder are another network.
    (model / 'model.safetensors').write_bytes(b'1')
    with pytest.raises(DataError, match='give another folder'):
        extract_segments(photos, out, 'sam', dict(pred_iou_thresh='0.7'),
                         str(model))
    arguments = ('extract_segments', photos, '--out', tmp_path / 'new',
                 '--method', 'sam', '--model', 'no/such')
    assert run_tool(*arguments, '--options', 'points_per_batch=48').startswith(
        'error: points_per_batch=48: transformers takes all 1024 points')
    stop = run_tool(*arguments)
    assert stop.startswith('error: no/such: transformers finds no SAM there '
                           '(not a local folder and not on the hub)')


@pytest.mark.parametrize('threshold, some', [(-9., True), (99., False)])
def test_a_tiny_sam_makes_segments(threshold, some, photos, tmp_path):
    """A network of transformers' own, with random weights."""
    transformers = pytest.importorskip('transformers')
    model = str(tmp_path / 'model')
    small = dict(hidden_size=16, num_attention_heads=2, mlp_dim=32)
    transformers.SamModel(transformers.SamConfig(
        vision_config=dict(
            small, output_channels=16, num_hidden_layers=2, image_size=64,
            patch_size=8, window_size=4, global_attn_indexes=[1],
            num_pos_feats=8),
        prompt_encoder_config=dict(hidden_size=16, image_size=64,
                                   patch_size=8, mask_input_channels=4),
        mask_decoder_config=dict(small, iou_head_hidden_dim=16)
    )).save_pretrained(model)
    transformers.SamProcessor(transformers.SamImageProcessor(
        size=dict(longest_edge=64), pad_size=dict(height=64, width=64),
        mask_size=dict(longest_edge=16),
        mask_pad_size=dict(height=16, width=16))).save_pretrained(model)
    out = str(tmp_path / 'out')
    assert extract_segments(photos, out, 'sam', dict(
        pred_iou_thresh=threshold, stability_score_thresh=0., points_per_crop=8
    ), model, device='cpu') == 3
    parts = cut(out)
    assert all(total for _, total in parts)
    assert bool(parts) == some
