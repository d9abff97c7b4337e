"""CLIP image embeddings of photos, from runs that may be interrupted."""
import os
import os.path as osp

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from clip_files import SIZE, check_bad_weights_are_refused, one_line
from command_lines import run_tool
from PIL import Image

from mmwsss.datasets.image_embeddings import read_image_embeddings
from mmwsss.models.clip import CLIPImageEncoder
from mmwsss.preparation.image_embeddings import (
    extract_image_embeddings,
    find_images,
    load_photo,
)
from mmwsss.problems import DataError


@pytest.fixture(scope='module')
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp('photos')
    random = np.random.default_rng(0)
    for i in range(11):
        height, width = random.integers(20, 90, size=2)
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f'photo_{i:02d}.png')
    Image.fromarray(pixels[..., 0]).save(folder / 'grey.png')
    return find_images(folder)


def test_photo_is_prepared_as_clip_does(photos):
    transforms = pytest.importorskip('torchvision.transforms')
    prepare = transforms.Compose([
        transforms.Resize(SIZE, transforms.InterpolationMode.BICUBIC),
        transforms.CenterCrop(SIZE),
        transforms.PILToTensor()
    ])
    for path in photos:
        expected = prepare(Image.open(path).convert('RGB'))
        assert torch.equal(load_photo(path, SIZE), expected), path


def test_image_embeddings_match_plain_clip(clip, weights, photos, tmp_path):
    out = str(tmp_path / 'image.npz')
    extract_image_embeddings(out, photos, weights, batch_size=4)
    images = torch.stack([load_photo(path, SIZE) for path in photos]) / 255.
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711])
    images = (images - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    with torch.no_grad():
        expected = F.normalize(clip.visual(images), dim=-1)
    names = [osp.splitext(osp.basename(path))[0] for path in photos]
    with np.load(out, allow_pickle=False) as file:
        assert file['names'].tolist() == names
        assert file['embeddings'].dtype == np.float32
        assert str(file['model']) == 'CLIP ViT-128/8@32px'
        np.testing.assert_allclose(file['embeddings'], expected, atol=1e-5)
        np.testing.assert_allclose(
            np.linalg.norm(file['embeddings'], axis=1), 1, atol=1e-6)
    assert expected.std(dim=0).max() > 0.01  # the photos matter
    rows = read_image_embeddings(out, names[::-1])
    np.testing.assert_allclose(rows, expected.flip(0), atol=1e-5)
    assert not osp.exists(f'{out}.parts')


@pytest.fixture
def stop_after(monkeypatch):
    """Count the photos encoded; stop the run before the n-th batch."""
    forward = CLIPImageEncoder.forward
    seen = {'photos': 0, 'batches': 0, 'stop': None, 'check': lambda: None}

    def counted(self, images):
        seen['check']()
        if seen['batches'] == seen['stop']:
            raise KeyboardInterrupt
        seen['batches'] += 1
        seen['photos'] += len(images)
        return forward(self, images)

    monkeypatch.setattr(CLIPImageEncoder, 'forward', counted)
    return seen


def test_interrupted_run_gives_the_same_file(weights, photos, tmp_path,
                                             stop_after):
    whole, out = tmp_path / 'whole.npz', tmp_path / 'out.npz'
    extract_image_embeddings(whole, photos, weights, batch_size=2)
    stop_after.update(stop=stop_after['batches'] + 2, photos=0)
    with pytest.raises(KeyboardInterrupt):
        extract_image_embeddings(out, photos, weights, batch_size=2)
    assert not out.exists()
    assert stop_after['photos'] == 4
    stop_after.update(stop=None)
    extract_image_embeddings(out, photos, weights, batch_size=2)
    assert stop_after['photos'] == len(photos)  # none was done twice
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(os.listdir(tmp_path)) == ['out.npz', 'whole.npz']


def test_killed_run_keeps_what_was_saved(weights, photos, tmp_path,
                                         stop_after):
    """Parts are on disk while the run goes on, not only at its end."""
    out = tmp_path / 'out.npz'
    counts = []
    stop_after['check'] = lambda: counts.append(
        len(os.listdir(f'{out}.parts')) if osp.isdir(f'{out}.parts') else 0)
    extract_image_embeddings(out, photos, weights, batch_size=4,
                             save_interval=0.)
    assert counts == [0, 1, 2]


def test_stale_parts_are_not_used(clip, weights, photos, tmp_path,
                                  stop_after):
    out, whole = tmp_path / 'out.npz', tmp_path / 'whole.npz'

    def interrupted():
        stop_after.update(stop=stop_after['batches'] + 1)
        with pytest.raises(KeyboardInterrupt):
            extract_image_embeddings(out, photos, weights, batch_size=4)
        stop_after.update(stop=None, photos=0)

    interrupted()
    state = {key: value * 1.5 for key, value in clip.state_dict().items()}
    torch.save(state, tmp_path / 'other.pth')
    extract_image_embeddings(out, photos, tmp_path / 'other.pth')
    extract_image_embeddings(whole, photos, tmp_path / 'other.pth')
    assert stop_after['photos'] == 2 * len(photos)
    assert out.read_bytes() == whole.read_bytes()

    interrupted()
    extract_image_embeddings(out, photos, weights, resume=False)
    assert stop_after['photos'] == len(photos)

    interrupted()
    (part, ) = os.listdir(f'{out}.parts')
    with open(f'{out}.parts/{part}', 'r+b') as file:
        file.truncate(200)
    extract_image_embeddings(out, photos, weights)
    assert stop_after['photos'] == len(photos)


def test_damaged_photo_keeps_the_work_before_it(weights, photos, tmp_path,
                                                stop_after):
    bad = tmp_path / 'bad.jpg'
    bad.write_bytes(b'not a photo')
    out = tmp_path / 'out.npz'
    with pytest.raises(DataError, match='bad.jpg.*damaged') as info:
        extract_image_embeddings(out, [*photos[:8], bad], weights,
                                 batch_size=4)
    one_line(info)
    assert stop_after['photos'] == 8
    extract_image_embeddings(out, photos[:8], weights, batch_size=4)
    assert stop_after['photos'] == 8


def test_photos_of_a_folder_and_a_list(photos, tmp_path):
    folder = osp.dirname(photos[0])
    assert len(photos) == 12 and photos == sorted(photos)
    (tmp_path / 'ids.txt').write_text('photo_03\ngrey.png\n')
    assert find_images(folder, tmp_path / 'ids.txt') == [
        osp.join(folder, 'photo_03.png'), osp.join(folder, 'grey.png')]
    for name in ('twin.png', 'twin.jpg'):
        (tmp_path / name).write_bytes(b'')
    (tmp_path / 'twins.txt').write_text('twin\n')
    with pytest.raises(DataError, match='twin.jpg or twin.png'):
        find_images(None, tmp_path / 'twins.txt')
    os.makedirs(tmp_path / 'empty')
    for arguments in ((tmp_path / 'empty', ), (tmp_path / 'none', ),
                      (folder, tmp_path / 'none.txt'), ()):
        with pytest.raises(DataError) as info:
            find_images(*arguments)
        one_line(info)


def test_unsafe_and_wrong_weights_are_refused(clip, tmp_path, monkeypatch):
    check_bad_weights_are_refused(
        lambda out, weights: extract_image_embeddings(out, [__file__],
                                                      weights),
        clip, tmp_path, monkeypatch)


def test_resnet_clip_is_refused_for_photos(clip, photos, tmp_path):
    state = {**clip.state_dict(),
             'visual.layer1.0.conv1.weight': torch.zeros(4, 4, 1, 1)}
    torch.save(state, tmp_path / 'rn50.pth')
    with pytest.raises(DataError, match='ResNet') as info:
        extract_image_embeddings(tmp_path / 'o', photos, tmp_path / 'rn50.pth')
    one_line(info)


def test_wrong_photos(photos, tmp_path):
    os.makedirs(tmp_path / 'other')
    twin = tmp_path / 'other' / osp.basename(photos[0])
    twin.write_bytes(b'')
    for paths, message in (([*photos, tmp_path / 'no.jpg'], 'no such photo'),
                           ([*photos, twin], 'name .* is taken by'),
                           ([], 'no photos')):
        with pytest.raises(DataError, match=message) as info:
            extract_image_embeddings(tmp_path / 'o.npz', paths, 'none')
        one_line(info)
    for out in (tmp_path, twin / 'o.npz'):
        with pytest.raises(DataError) as info:
            extract_image_embeddings(out, photos, 'none')
        one_line(info)


def test_tool(weights, photos, tmp_path):
    out = tmp_path / 'image.npz'
    assert run_tool('extract_image_embeddings', '--images',
                    osp.dirname(photos[0]), '--weights', weights, '--out',
                    out) is None
    assert len(np.load(out)['names']) == len(photos)
