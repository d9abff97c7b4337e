"""CLIP text embeddings of class names: written, and read again."""
import os
import os.path as osp

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from clip_files import (
    OUTPUT,
    Evil,
    PlainCLIP,
    check_bad_weights_are_refused,
    one_line,
)
from command_lines import run_tool

from mmwsss.datasets.class_prompts import (
    COCO80,
    VOC12,
    get_class_prompts,
    same_class,
)
from mmwsss.datasets.text_embeddings import read_text_embeddings
from mmwsss.models.clip import (
    build_image_encoder,
    build_text_encoder,
    read_clip_state_dict,
)
from mmwsss.preparation.text_embeddings import extract_text_embeddings
from mmwsss.problems import DataError


def plain_text(clip, prompts):
    """Unit-length embeddings, tokens looked up one by one."""
    from mmseg.utils.tokenizer import _tokenizer
    rows = []
    for prompt in prompts:
        ids = [49406, *_tokenizer.encode(prompt), 49407]
        rows.append(ids + [0] * (len(clip.positional_embedding) - len(ids)))
    with torch.no_grad():
        return F.normalize(clip.encode_text(torch.tensor(rows)), dim=-1)


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


def test_unsafe_and_wrong_weights_are_refused(clip, tmp_path, monkeypatch):
    check_bad_weights_are_refused(
        lambda out, weights: extract_text_embeddings(out, ['cat'], weights),
        clip, tmp_path, monkeypatch)


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


# Reading


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
def test_real_files(name, classes, test_data):
    path = test_data('weights', f'text_embeddings_{name}.npz')
    rows = read_text_embeddings(path, list(classes), len(classes))
    assert rows.shape == (len(classes), 512) and rows.dtype == np.float32
    # These were normalised in half precision.
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    with np.load(path) as file:  # what is written here is read the same way
        assert file['names'].tolist() == list(classes)
    with pytest.raises(DataError, match='row 0'):
        read_text_embeddings(path, list(classes)[::-1])


def test_tool(weights, tmp_path):
    out = tmp_path / 'text.npz'
    assert run_tool('extract_text_embeddings', '--classes', 'coco80',
                    '--weights', weights, '--template', 'a {}', '--template',
                    'the {}', '--out', out) is None
    assert read_text_embeddings(str(out), list(COCO80)).shape == (80, OUTPUT)
    assert run_tool('extract_text_embeddings', '--classes', 'voc12',
                    '--weights', 'none', '--out', out).startswith(
                        'error: checkpoint none: no such')
