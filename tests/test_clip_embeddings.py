"""CLIP embeddings of class names and photos.

The encoders are checked on small random weights against a plain CLIP that is
written here with torch's own modules.
"""
import os
import os.path as osp
import runpy
from collections import OrderedDict

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from mmwsss.apis import clip_embeddings
from mmwsss.apis.clip_embeddings import (
    build_image_encoder,
    build_text_encoder,
    extract_image_embeddings,
    extract_text_embeddings,
    find_images,
    load_photo,
    read_clip_state_dict,
)
from mmwsss.datasets.class_prompts import (
    COCO80,
    VOC12,
    get_class_prompts,
    same_class,
)
from mmwsss.datasets.image_embeddings import read_image_embeddings
from mmwsss.datasets.text_embeddings import read_text_embeddings
from mmwsss.problems import DataError

ROOT = osp.dirname(osp.dirname(osp.abspath(__file__)))
DATA = os.environ.get('MMWSSS_TEST_DATA', osp.join(ROOT, '..', 'shared'))
WIDTH, OUTPUT, PATCH, SIZE = 64, 24, 8, 32


class QuickGELU(nn.Module):

    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """A pre-norm transformer layer under OpenAI's names."""

    def __init__(self, width):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, width // 64,
                                          batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(OrderedDict(
            c_fc=nn.Linear(width, 4 * width), act=QuickGELU(),
            c_proj=nn.Linear(4 * width, width)))

    def forward(self, x, mask=None):
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class Layers(nn.Module):

    def __init__(self, width, depth):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width) for _ in range(depth))

    def forward(self, x, mask=None):
        for block in self.resblocks:
            x = block(x, mask)
        return x


class PlainViT(nn.Module):

    def __init__(self):
        super().__init__()
        self.class_embedding = nn.Parameter(torch.empty(2 * WIDTH))
        self.positional_embedding = nn.Parameter(
            torch.empty((SIZE // PATCH)**2 + 1, 2 * WIDTH))
        self.conv1 = nn.Conv2d(3, 2 * WIDTH, PATCH, PATCH, bias=False)
        self.ln_pre = nn.LayerNorm(2 * WIDTH)
        self.transformer = Layers(2 * WIDTH, 3)
        self.ln_post = nn.LayerNorm(2 * WIDTH)
        self.proj = nn.Parameter(torch.empty(2 * WIDTH, OUTPUT))

    def forward(self, x):
        x = self.conv1(x).flatten(2).transpose(1, 2)
        cls = self.class_embedding.expand(len(x), 1, -1)
        x = torch.cat([cls, x], dim=1) + self.positional_embedding
        x = self.transformer(self.ln_pre(x))
        return self.ln_post(x[:, 0]) @ self.proj


class PlainCLIP(nn.Module):
    """A small CLIP whose state dict has OpenAI's layout."""

    def __init__(self, context=77):
        super().__init__()
        self.token_embedding = nn.Embedding(49408, WIDTH)
        self.positional_embedding = nn.Parameter(torch.empty(context, WIDTH))
        self.transformer = Layers(WIDTH, 2)
        self.ln_final = nn.LayerNorm(WIDTH)
        self.text_projection = nn.Parameter(torch.empty(WIDTH, OUTPUT))
        self.logit_scale = nn.Parameter(torch.tensor(4.6))
        self.visual = PlainViT()
        generator = torch.Generator().manual_seed(0)
        for name, value in self.named_parameters():
            if value.dim():
                noise = torch.randn(value.shape, generator=generator)
                is_norm = 'ln_' in name and name.endswith('weight')
                value.data = 0.1 * noise + is_norm
        self.eval()

    def encode_text(self, tokens):
        length = tokens.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool).triu(1)
        x = self.token_embedding(tokens) + self.positional_embedding
        x = self.ln_final(self.transformer(x, mask))
        ends = (tokens == 49407).int().argmax(dim=1)
        return torch.stack([row[end] for row, end in zip(x, ends)]
                           ) @ self.text_projection


@pytest.fixture(scope='module', autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='module')
def clip():
    return PlainCLIP()


@pytest.fixture(scope='module')
def weights(clip, tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'tiny_clip.pth'
    # OpenAI's files also hold three plain numbers.
    torch.save({**clip.state_dict(), 'context_length': torch.tensor(77)}, path)
    return str(path)


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


def plain_text(clip, prompts):
    """Unit-length embeddings, tokens looked up one by one."""
    from mmseg.utils.tokenizer import _tokenizer
    rows = []
    for prompt in prompts:
        ids = [49406, *_tokenizer.encode(prompt), 49407]
        rows.append(ids + [0] * (len(clip.positional_embedding) - len(ids)))
    with torch.no_grad():
        return F.normalize(clip.encode_text(torch.tensor(rows)), dim=-1)


def one_line(info):
    text = str(info.value)
    assert '\n' not in text
    return text


# Text


def test_text_embeddings_match_plain_clip(clip, weights, tmp_path):
    out = tmp_path / 'new' / 'text.npz'
    extract_text_embeddings(out, ['cat', 'dining table'], weights)
    with np.load(out, allow_pickle=False) as file:
        assert sorted(file.files) == ['embeddings', 'model', 'names', 'prompt']
        assert file['names'].tolist() == ['cat', 'dining table']
        assert file['embeddings'].dtype == np.float32
        assert str(file['prompt']) == 'a photo of a {}'
        embeddings = file['embeddings']
    expected = plain_text(clip, ['a photo of a cat',
                                 'a photo of a dining table'])
    np.testing.assert_allclose(embeddings, expected, atol=1e-5)
    assert abs(embeddings[0] @ embeddings[1]) < 0.999  # the prompts matter
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1,
                               atol=1e-6)
    assert os.listdir(out.parent) == ['text.npz']  # nothing is left over


def test_templates_and_synonyms_are_averaged(clip, weights, tmp_path):
    out = tmp_path / 'text.npz'
    extract_text_embeddings(
        out, {'sofa': ['sofa'], 'tvmonitor': ['tv monitor']}, weights,
        templates=['a {}', 'the {}.'], synonyms={'sofa': ['couch']})
    expected = plain_text(clip, ['a sofa', 'a couch', 'the sofa.',
                                 'the couch.'])
    expected = F.normalize(expected.mean(dim=0), dim=-1)
    rows = np.load(out)['embeddings']
    np.testing.assert_allclose(rows[0], expected, atol=1e-5)
    expected = plain_text(clip, ['a tv monitor', 'the tv monitor.'])
    expected = F.normalize(expected.mean(dim=0), dim=-1)
    np.testing.assert_allclose(rows[1], expected, atol=1e-5)
    assert str(np.load(out)['prompt']) == 'a {}; the {}.'


def test_voc_file_has_the_data_sets_names(clip, weights, tmp_path):
    from mmseg.datasets import PascalVOCDataset
    classes = PascalVOCDataset.METAINFO['classes'][1:]
    assert tuple(VOC12) == classes
    out = str(tmp_path / 'voc.npz')
    extract_text_embeddings(out, 'voc12', weights)
    rows = read_text_embeddings(out, classes, num_classes=20)
    expected = plain_text(clip, ['a photo of a potted plant'])
    np.testing.assert_allclose(rows[classes.index('pottedplant')],
                               expected[0], atol=1e-5)


def test_other_layouts_give_the_same(clip, weights, tmp_path):
    state = clip.state_dict()
    mmseg, hugging_face = {}, {}
    for key, value in state.items():
        if not key.startswith('visual.'):
            name = key.replace('transformer.resblocks.', 'transformer.')
            for old, new in (('.attn.', '.attentions.0.attn.'),
                             ('.ln_1.', '.norms.0.'), ('.ln_2.', '.norms.1.'),
                             ('.mlp.c_fc.', '.ffns.0.layers.0.0.'),
                             ('.mlp.c_proj.', '.ffns.0.layers.1.')):
                name = name.replace(old, new)
            mmseg[f'text_encoder.{name}'] = value
        part = 'vision_model' if 'visual' in key else 'text_model'
        name = key.replace('visual.', '').replace(
            'transformer.resblocks.', 'encoder.layers.')
        for old, new in (
                ('attn.out_proj', 'self_attn.out_proj'),
                ('ln_1', 'layer_norm1'), ('ln_2', 'layer_norm2'),
                ('mlp.c_fc', 'mlp.fc1'), ('mlp.c_proj', 'mlp.fc2'),
                ('token_embedding', 'embeddings.token_embedding'),
                ('class_embedding', 'embeddings.class_embedding'),
                ('positional_embedding',
                 'embeddings.position_embedding.weight'),
                ('conv1', 'embeddings.patch_embedding'),
                ('ln_pre', 'pre_layrnorm'), ('ln_post', 'post_layernorm'),
                ('ln_final', 'final_layer_norm')):
            name = name.replace(old, new)
        if key == 'text_projection':
            hugging_face['text_projection.weight'] = value.t()
        elif key == 'visual.proj':
            hugging_face['visual_projection.weight'] = value.t()
        elif 'in_proj' in key:
            kind = key.rsplit('_', 1)[1]
            base = name[:name.index('attn.in_proj')]
            for letter, third in zip('qkv', value.chunk(3)):
                hugging_face[f'{part}.{base}self_attn.{letter}_proj.{kind}'
                             ] = third.clone()
        else:
            hugging_face[f'{part}.{name}'] = value
    expected = read_clip_state_dict(weights)
    for layout in (mmseg, hugging_face):
        path = tmp_path / 'other.pth'
        torch.save({'state_dict': layout}, path)
        got = read_clip_state_dict(path)
        keys = [key for key in state if layout is hugging_face
                or not key.startswith('visual.')]
        for key in keys:
            if key != 'logit_scale':
                assert torch.equal(got[key], expected[key]), key
        build_text_encoder(got, path)
    build_image_encoder(got, path)


def test_sizes_come_from_the_weights(tmp_path):
    other = PlainCLIP(context=16)
    path = tmp_path / 'short.pth'
    torch.save(other.half().state_dict(), path)
    extract_text_embeddings(tmp_path / 'a.npz', ['cat'], path)
    expected = plain_text(other.float(), ['a photo of a cat'])
    np.testing.assert_allclose(np.load(tmp_path / 'a.npz')['embeddings'],
                               expected, atol=1e-5)
    with pytest.raises(DataError, match='longer than the 16 tokens') as info:
        extract_text_embeddings(tmp_path / 'b.npz', ['very ' * 20], path)
    one_line(info)


# Images


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
    forward = clip_embeddings.CLIPImageEncoder.forward
    seen = {'photos': 0, 'batches': 0, 'stop': None, 'check': lambda: None}

    def counted(self, images):
        seen['check']()
        if seen['batches'] == seen['stop']:
            raise KeyboardInterrupt
        seen['batches'] += 1
        seen['photos'] += len(images)
        return forward(self, images)

    monkeypatch.setattr(clip_embeddings.CLIPImageEncoder, 'forward', counted)
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


# Errors


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder, )


@pytest.mark.parametrize('extract', [
    lambda out, weights: extract_text_embeddings(out, ['cat'], weights),
    lambda out, weights: extract_image_embeddings(out, [__file__], weights)
], ids=['text', 'image'])
def test_unsafe_and_wrong_weights_are_refused(extract, clip, tmp_path,
                                              monkeypatch):
    path, out = tmp_path / 'weights.pth', tmp_path / 'out.npz'
    marker = str(tmp_path / 'ran')

    def error():
        with pytest.raises((DataError, FileNotFoundError)) as info:
            extract(out, path)
        assert str(path) in one_line(info)
        assert not out.exists()
        return str(info.value)

    assert 'no such file' in error()

    torch.save({**clip.state_dict(), 'evil': Evil(marker)}, path)
    assert 'run code' in error()
    assert not osp.exists(marker)

    def load(*args, **kwargs):
        raise AssertionError('a program was loaded')

    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), path)
    monkeypatch.setattr(torch.jit, 'load', load)
    message = error()
    assert 'TorchScript' in message and 'torch.save(torch.jit.load(' in message
    # The second line of defence: torch's own refusal.
    monkeypatch.setattr(clip_embeddings, '_is_torchscript', lambda _: False)
    assert 'torch.save(torch.jit.load(' in error()

    torch.save({'blocks.0.attn.qkv.weight': torch.zeros(2, 2)}, path)
    message = error()
    assert 'is missing' in message and 'Known layouts' in message

    state = clip.state_dict()
    for part in ('', 'visual.'):
        del state[f'{part}transformer.resblocks.1.ln_1.weight']
    torch.save(state, path)
    assert '1' in error() and 'missing' in error()


def test_resnet_clip_is_refused_for_photos(clip, photos, tmp_path):
    state = {**clip.state_dict(),
             'visual.layer1.0.conv1.weight': torch.zeros(4, 4, 1, 1)}
    torch.save(state, tmp_path / 'rn50.pth')
    with pytest.raises(DataError, match='ResNet') as info:
        extract_image_embeddings(tmp_path / 'o', photos, tmp_path / 'rn50.pth')
    one_line(info)


@pytest.mark.parametrize('arguments, message', [
    (dict(classes='voc21'), "unknown class list 'voc21'.*voc12"),
    (dict(classes=[]), 'no classes'),
    (dict(classes=['cat', 'dog', 'cat']), "'cat' is named twice"),
    (dict(classes={'cat': []}), 'empty phrase'),
    (dict(classes=['cat'], templates=['a photo']), "template 'a photo'"),
    (dict(classes=['cat'], templates=[]), 'no template'),
    (dict(classes=['sheep'], synonyms={'sheeps': ['lamb']}),
     "did you mean 'sheep'"),
])
def test_wrong_classes(arguments, message, tmp_path):
    with pytest.raises(DataError, match=message) as info:
        # The weights do not exist: the error comes before they are read.
        extract_text_embeddings(tmp_path / 'o.npz', weights='none',
                                **arguments)
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


def test_class_file(tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_text('# mine\nsheep\n\nsofa, couch , settee\n')
    assert get_class_prompts(str(path)) == {
        'sheep': ('sheep', ), 'sofa': ('sofa', 'couch', 'settee')}
    for text, message in (('cat\ncat\n', 'line 2.*second time'),
                          ('cat,,dog\n', 'line 1.*empty word'),
                          ('\n', 'no class name')):
        path.write_text(text)
        with pytest.raises(DataError, match=message) as info:
            get_class_prompts(str(path))
        assert str(path) in one_line(info)


def test_no_two_classes_of_a_set_are_the_same():
    assert len(VOC12) == 20 and len(COCO80) == 80
    for classes in (VOC12, COCO80):
        for name in classes:
            assert [o for o in classes if same_class(name, o)] == [name]
    assert same_class('diningtable', 'Dining table')
    assert same_class('tvmonitor', 'tv') and same_class('sofa', 'couch')


# Reading text embeddings


def write(path, classes, **changes):
    arrays = dict(names=np.array(classes),
                  embeddings=np.eye(len(classes), 8, dtype=np.float32))
    np.savez(path, **{**arrays, **changes})
    return str(path)


def test_order_is_checked(tmp_path):
    path = write(tmp_path / 'a.npz', ['dining table', 'tv', 'cat'])
    rows = read_text_embeddings(path, ['diningtable', 'tvmonitor', 'cat'])
    np.testing.assert_array_equal(rows, np.eye(3, 8))
    for classes, message in (
            (['diningtable', 'cat', 'tvmonitor'], "row 1 is 'tv'.*'cat'"),
            (['diningtable', 'tvmonitor'], '3 classes, the data set has 2')):
        with pytest.raises(DataError, match=message) as info:
            read_text_embeddings(path, classes)
        assert path in one_line(info)
        assert 'tools/extract_text_embeddings.py --classes FILE' in str(
            info.value)
    with pytest.raises(DataError, match='the data set has 20'):
        read_text_embeddings(path, num_classes=20)
    # Two synonyms as classes of one set: only the very order will do.
    path = write(tmp_path / 'b.npz', ['tv', 'television'])
    read_text_embeddings(path, ['tv', 'television'])
    with pytest.raises(DataError, match='row 0'):
        read_text_embeddings(path, ['television', 'tv'])


def test_unreadable_text_embeddings(tmp_path):
    marker = str(tmp_path / 'ran')
    evil = np.empty(1, dtype=object)
    evil[0] = Evil(marker)
    good = write(tmp_path / 'good.npz', ['cat'])
    with open(good, 'rb') as file:
        content = file.read()
    (tmp_path / 'cut.npz').write_bytes(content[:-60])
    (tmp_path / 'empty.npz').write_bytes(b'')
    (tmp_path / 'text.npz').write_bytes(b'hello')
    np.save(tmp_path / 'lone.npy', np.zeros((1, 4)))
    np.savez(tmp_path / 'no_names.npz', embeddings=np.zeros((1, 4)))
    for path in (write(tmp_path / 'evil.npz', ['cat'], names=evil),
                 write(tmp_path / 'evil2.npz', ['cat'], embeddings=evil),
                 write(tmp_path / 'nan.npz', ['cat'],
                       embeddings=np.full((1, 4), np.nan)),
                 write(tmp_path / 'flat.npz', ['cat'],
                       embeddings=np.zeros(4)),
                 write(tmp_path / 'short.npz', ['cat', 'dog'],
                       embeddings=np.zeros((1, 4))),
                 write(tmp_path / 'words.npz', ['cat'],
                       embeddings=np.array([['a', 'b']])),
                 *(str(tmp_path / name) for name in (
                     'cut.npz', 'empty.npz', 'text.npz', 'lone.npy',
                     'no_names.npz', 'missing.npz'))):
        with pytest.raises(DataError) as info:
            read_text_embeddings(path, list(VOC12))
        message = one_line(info)
        assert path in message
        assert 'the data set has' not in message  # damage is found first
        assert '--classes voc12' in message and '--out' in message
    assert not osp.exists(marker)


@pytest.mark.parametrize('name, classes', [('voc12', VOC12),
                                           ('coco80', COCO80)])
def test_real_files(name, classes):
    path = osp.join(DATA, 'weights', f'text_embeddings_{name}.npz')
    if not osp.isfile(path):
        pytest.skip(f'no {path}; set MMWSSS_TEST_DATA')
    rows = read_text_embeddings(path, list(classes), len(classes))
    assert rows.shape == (len(classes), 512) and rows.dtype == np.float32
    # These were normalised in half precision.
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    with np.load(path) as file:  # what is written here is read the same way
        assert file['names'].tolist() == list(classes)
    with pytest.raises(DataError, match='row 0'):
        read_text_embeddings(path, list(classes)[::-1])


# Tools


def run_tool(name, monkeypatch, *arguments):
    monkeypatch.setattr('sys.argv', [name, *map(str, arguments)])
    runpy.run_path(osp.join(ROOT, 'tools', f'{name}.py'), run_name='__main__')


def test_tools(weights, photos, tmp_path, monkeypatch):
    out = tmp_path / 'text.npz'
    run_tool('extract_text_embeddings', monkeypatch, '--classes', 'coco80',
             '--weights', weights, '--template', 'a {}', '--template',
             'the {}', '--out', out)
    assert read_text_embeddings(str(out), list(COCO80)).shape == (80, OUTPUT)
    out = tmp_path / 'image.npz'
    run_tool('extract_image_embeddings', monkeypatch, '--images',
             osp.dirname(photos[0]), '--weights', weights, '--out', out)
    assert len(np.load(out)['names']) == len(photos)
    with pytest.raises(SystemExit, match='error: checkpoint none: no such'):
        run_tool('extract_text_embeddings', monkeypatch, '--classes', 'voc12',
                 '--weights', 'none', '--out', out)
