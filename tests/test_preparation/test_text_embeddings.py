"""CLIP text embeddings of class names: written, and read again."""
import json
import os

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from clip_files import (
    OUTPUT,
    PlainCLIP,
    check_bad_weights_are_refused,
    one_line,
)
from command_lines import run_tool

from mmwsss.datasets.class_prompts import (
    COCO80,
    VOC12,
)
from mmwsss.datasets.text_embeddings import read_text_embeddings
from mmwsss.preparation.attributes import adopt_attributes
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


def test_tool(weights, tmp_path):
    out = tmp_path / 'text.npz'
    assert run_tool('extract_text_embeddings', '--classes', 'coco80',
                    '--weights', weights, '--template', 'a {}', '--template',
                    'the {}', '--out', out) is None
    assert read_text_embeddings(str(out), list(COCO80)).shape == (80, OUTPUT)
    assert run_tool('extract_text_embeddings', '--classes', 'voc12',
                    '--weights', 'none', '--out', out).startswith(
                        'error: checkpoint none: no such')


CONFIG = '''
text_classes = {classes!r}
text_phrases = dict(cat='cat feline')
text_template = 'a clean {{}}.'
text_embeddings = {out!r}
background_words = ['grass', 'blue sky']
text_attributes = {attributes!r}
text_clusters = 3
'''


@pytest.mark.parametrize('attributes', [False, True])
def test_a_config_names_words_and_descriptions(clip, weights, tmp_path,
                                               attributes):
    (tmp_path / 'classes.txt').write_text('cat\ndining table\n')
    sentences = {'cat': ['It has fur.', 'It has paws.'],
                 'dining table': ['It has legs.', 'It is flat.']}
    (tmp_path / 'sentences.json').write_text(json.dumps(sentences))
    out = str(tmp_path / 'text.npz')
    (tmp_path / 'config.py').write_text(CONFIG.format(
        classes=str(tmp_path / 'classes.txt'), out=out,
        attributes=str(tmp_path / 'sentences.json') if attributes else None))
    assert run_tool('extract_text_embeddings', '--config',
                    tmp_path / 'config.py', '--weights', weights) is None
    names = ['cat', 'dining table']
    words = ['grass', 'blue sky']
    with np.load(out) as file:
        assert file['names'].tolist() == [*names, *words]
        rows = torch.from_numpy(file['embeddings'])
    want = plain_text(clip, [f'a clean {text}.' for text in (
        'cat feline', 'dining table', *words)])
    np.testing.assert_allclose(rows[2:], want[2:], atol=1e-5)
    if attributes:
        vectors = [plain_text(clip, group) for group in sentences.values()]
        want = adopt_attributes(want[:2], vectors, 3)
        assert (want - plain_text(clip, ['a clean cat feline.'])).abs(
            ).max() > 1e-3
    np.testing.assert_allclose(rows[:2], want[:2], atol=1e-4)
    got = read_text_embeddings(out, names, 2, words)
    assert got.shape == rows.shape


@pytest.mark.parametrize('arguments, message', [
    (['--classes', 'voc12'], '--out'),
    (['--config', 'a.py', '--classes', 'voc12'], 'not allowed with'),
    (['--config', 'a.py', '--template', 'a {}'], 'stands in the config'),
    ([], 'one of the arguments --classes --config is required')])
def test_arguments_that_do_not_go_together(arguments, message, capsys):
    assert run_tool('extract_text_embeddings', '--weights', 'x.pth',
                    *arguments) == 2
    assert message in capsys.readouterr().err


def test_attributes_need_a_number_of_clusters(weights, tmp_path):
    (tmp_path / 'a.json').write_text('{"cat": ["It has fur."]}')
    with pytest.raises(DataError, match='into how many clusters'):
        extract_text_embeddings(tmp_path / 'out.npz', ['cat'], weights,
                                attributes=str(tmp_path / 'a.json'))
