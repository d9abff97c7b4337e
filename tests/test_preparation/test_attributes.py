"""Descriptions of classes, and the attributes that they share."""
import json

import pytest
import torch
import torch.nn.functional as F
from clip_nets import CLIPFile
from parity_files import close

from mmwsss.ops.feature_surgery import attribute_prototypes
from mmwsss.preparation.attributes import adopt_attributes, read_descriptions
from mmwsss.problems import DataError


def test_adopted_attributes_parity(test_data):
    """The clusters, too: the published code takes scikit-learn's K-means."""
    file = CLIPFile(test_data('parity', 'excel_maps.npz'))
    classes = file.config['num_classes_with_bg'] - 1
    every = F.normalize(file['tse/desc_embed_raw'], dim=-1)
    descriptions = [every[file['tse/desc_class'] == k]
                    for k in range(classes)]
    got = adopt_attributes(file['text'][:classes], descriptions,
                           file['tse/n_clusters'].item(),
                           file.config['tse_drop_fraction'])
    close(got, file['tse/text_out'].t()[:classes])


def test_a_cluster_for_each_description_is_the_description():
    text = F.normalize(torch.randn(2, 8), dim=-1)
    descriptions = [F.normalize(torch.randn(6, 8), dim=-1) for _ in text]
    got = adopt_attributes(text, descriptions, 12)
    close(got, attribute_prototypes(text, torch.cat(descriptions)), 1e-5)


def test_more_clusters_than_descriptions_is_an_error():
    with pytest.raises(DataError, match='4 descriptions cannot form 5 '):
        adopt_attributes(torch.randn(2, 8), [torch.randn(2, 8)] * 2, 5)


def written(tmp_path, content):
    path = tmp_path / 'attributes.json'
    path.write_text(content if isinstance(content, str)
                    else json.dumps(content))
    return str(path)


def test_sentences_come_in_the_order_of_the_classes(tmp_path):
    path = written(tmp_path, {'dog': ['a', 'b'], 'cat': ['c']})
    assert list(read_descriptions(path, ['cat', 'dog']).items()) == [
        ('cat', ('c', )), ('dog', ('a', 'b'))]


@pytest.mark.parametrize('content, message', [
    ([], 'write .*"class": .*"sentence"'),
    ({'cat': ['a']}, "no description of 'dog'; add some"),
    ({'cat': ['a'], 'dgo': ['b']}, "'dgo'.*did you mean 'dog'"),
    ({'cat': 'a', 'dog': ['b']}, "'cat': write a list of sentences"),
    ({'cat': [], 'dog': ['b']}, "'cat': write a list"),
    ({'cat': ['a', ' '], 'dog': ['b']}, "'cat': write a list"),
    ({'cat': ['a', 3], 'dog': ['b']}, "'cat': write a list"),
    ('{"cat": ', 'attributes.json')])
def test_what_is_wrong_is_named(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(DataError, match=message) as info:
        read_descriptions(path, ['cat', 'dog'])
    assert path in str(info.value) and '\n' not in str(info.value)


def test_a_missing_file_is_named(tmp_path):
    path = str(tmp_path / 'no.json')
    with pytest.raises((DataError, FileNotFoundError), match='no.json'):
        read_descriptions(path, ['cat'])
