"""What a config compares photos with."""
import json
import os.path as osp

import pytest
from mmengine.config import Config
from shapes import ROOT

from mmwsss.apis import config_texts, load_config
from mmwsss.datasets import COCO14ClsDataset, VOC12ClsDataset
from mmwsss.problems import ConfigError

VOCS_NAMES = {'motorcycle': 'motorbike', 'airplane': 'aeroplane',
              'couch': 'sofa', 'potted plant': 'pottedplant',
              'dining table': 'diningtable'}
CLASSES = dict(voc=VOC12ClsDataset, coco=COCO14ClsDataset)


def texts_of(name):
    return config_texts(load_config(osp.join(ROOT, 'configs', name)))


@pytest.mark.parametrize('data', CLASSES)
@pytest.mark.parametrize('method', ['clip_es', 'weclip', 'excel'])
def test_words_of_the_published_codes_parity(test_data, method, data):
    """Every class has one phrase, in the data set's order."""
    with open(test_data('parity', 'bg_words.json')) as file:
        published = json.load(file)
    texts = texts_of(f'{method}_{data}.py')
    names = CLASSES[data].METAINFO['classes'][1:]
    assert tuple(texts['classes']) == tuple(names)
    renamed = dict(published[data]['renamed_classes'])
    if data == 'coco':  # the published codes call some classes as VOC does
        renamed['tv'] = renamed.pop('tvmonitor')
        renamed.update(VOCS_NAMES)
    assert texts['classes'] == {name: (renamed.pop(name, name), )
                                for name in names}
    assert not renamed
    assert texts['background'] == published[data]['words']
    assert len(texts['background']) == published[data]['count']
    assert texts['templates'] == [published['prompt_template']]


def cfg(**changes):
    values = dict(text_classes='voc12', text_template='a {}.',
                  text_embeddings='text.npz', background_words=['sky'],
                  text_phrases={'bird': 'bird avian'})
    values.update(changes)
    return Config({key: value for key, value in values.items()
                   if value is not None}, filename=None)


def test_a_class_stands_for_itself_or_for_its_phrase():
    texts = config_texts(cfg())
    assert len(texts['classes']) == 20
    assert texts['classes']['bird'] == ('bird avian', )
    # Without the synonyms that other prompts are averaged over.
    assert texts['classes']['sofa'] == ('sofa', )
    assert texts['background'] == ['sky'] and texts['templates'] == ['a {}.']
    assert texts['attributes'] is texts['clusters'] is None


def test_classes_of_your_own(tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_text('red\nblue\n')
    texts = config_texts(cfg(text_classes=str(path), text_phrases=None,
                             background_words=None))
    assert texts['classes'] == {'red': ('red', ), 'blue': ('blue', )}
    assert texts['background'] == []


@pytest.mark.parametrize('changes, message', [
    (dict(text_template=None), 'it has no text_template'),
    (dict(text_classes=None), 'it has no text_classes'),
    (dict(text_embeddings=None), 'it has no text_embeddings'),
    (dict(text_phrases={'brd': 'x'}), "text_phrases: .*'brd'.*'bird'"),
    (dict(background_words=['sky', 'sofa']),
     "background_words: 'sofa' is a class; take it off")])
def test_what_is_wrong_is_named(changes, message):
    with pytest.raises(ConfigError, match=message) as info:
        config_texts(cfg(**changes))
    assert '\n' not in str(info.value)
