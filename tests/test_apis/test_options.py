import pytest
from command_lines import run_tool

from mmwsss.apis import load_config
from mmwsss.apis.options import (
    OptionText,
    meant,
    names_a_place,
    parse_value,
    split_option,
)
from mmwsss.problems import ConfigError


def test_a_text_is_split_at_the_first_equals():
    assert split_option('a.b=c=d') == ('a.b', 'c=d')
    assert split_option('pretrained=') == ('pretrained', '')


@pytest.mark.parametrize('text', ['data_root', '', '=5', 'a..b=1', '.a=1',
                                  'a.=1', ' a=1', 'a b'])
def test_what_is_no_option(text):
    with pytest.raises(ConfigError, match='KEY=VALUE'):
        split_option(text)


@pytest.mark.parametrize('text, value', [
    ('2', 2), ('-1', -1), ('1e-3', 1e-3), ('true', True), ('None', None),
    ('abc', 'abc'), ('a photo of {}', 'a photo of {}'), ("'2'", '2'),
    ('1,2', [1, 2]), ('[1, 2]', [1, 2]), ('(1.0,1.5)', (1.0, 1.5)),
    ('(1.0)', (1.0, )), ('cat,dog', ['cat', 'dog']), ('[]', []), ('', ''),
    ("['potted plant','tv']", ['potted plant', 'tv']), ('[a,(1,2)]',
                                                        ['a', (1, 2)]),
])
def test_values(text, value):
    found = parse_value(text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize('text, value', [
    ("[dict(type='A')]", [dict(type='A')]),
    ("[{'type': 'A', 'x': (1, 2)}]", [dict(type='A', x=(1, 2))]),
    ("dict(type='A', inner=dict(b=[1]))", dict(type='A', inner=dict(b=[1]))),
    ('{}', {}), ('[dict(), dict(a=None)]', [{}, dict(a=None)])])
def test_groups(text, value):
    assert parse_value(text) == value


@pytest.mark.parametrize('text', [
    '[dict(type=A)]', '[dict(**a)]', 'dict(print(1))', "{'a'", "{a: 1}",
    "[dict(type=open('x'))]"])
def test_what_is_no_group(text):
    with pytest.raises(ConfigError, match='write groups as'):
        parse_value(text, '--cfg-options a')


@pytest.mark.parametrize('text', ['TensorboardVisBackend', '[A]', 'A,B', '3',
                                  "dict(type='A')"])
def test_a_list_of_groups_stays_one(text):
    with pytest.raises(ConfigError, match='a list of groups'):
        meant('vis_backends', OptionText(text), [dict(type='B')], False)


@pytest.mark.parametrize('text', ['[1,2', '(1,2', '1,2]', '[(1],2)(,'])
def test_brackets_that_do_not_close(text):
    with pytest.raises(ConfigError, match='brackets'):
        parse_value(text, '--cfg-options a')


@pytest.mark.parametrize('name', ['2012', 'a,b', '[1]', '007', '(x)', '1e5',
                                  'my photos', 'True', "a'b"])
@pytest.mark.parametrize('key', [
    'data_root', 'pretrained', 'load_from', 'photo_dir',
    'train_dataloader.dataset.data_prefix.img_path',
    'val_dataloader.dataset.label_source.file', 'words'])
def test_any_name_of_a_folder_can_be_given(key, name, localizer_config,
                                           tmp_path):
    path = tmp_path / 'named.py'
    path.write_text(
        f"_base_ = {localizer_config!r}\nphoto_dir = 'JPEGImages'\n"
        "load_from = 'x'\nwords = 'words'\n"
        "val_dataloader = dict(dataset=dict(label_source=dict(file=words)))\n"
        'train_dataloader = dict(dataset=dict(data_prefix=dict('
        'img_path=photo_dir)))\n')
    cfg = load_config(str(path), dict([split_option(f'{key}={name}')]))
    node = cfg
    for part in key.split('.'):
        node = node[part]
    assert node == name
    if key == 'photo_dir':
        assert cfg.train_dataloader.dataset.data_prefix.img_path == name
    if key == 'words':  # a place by where it is used
        assert cfg.val_dataloader.dataset.label_source.file == name
    # From Python a number is one all the same.
    if name == '2012':
        assert load_config(str(path), {key: 2012}).to_dict() == cfg.to_dict()


def test_places_by_name():
    assert names_a_place('a.b.ann_file') and names_a_place('data_root')
    assert not names_a_place('score_classes') and not names_a_place('type')


@pytest.mark.parametrize('current, text, message', [
    (0.1, '1e-3x', 'is no number; the config has 0.1'),
    (1, 'two', 'is no number'), (1, 'True', 'is no number'),
    (1, '', 'is no number'), (0.1, '[1, 2]', 'is no number'),
    (1., 'nan', 'give a number'),
    (True, 'maybe', 'True or False'), (False, '7', 'True or False'),
    ((1.0, 1.5), 'abc', 'give numbers'),
    ([0.25, 0.7], 'True', 'give numbers'),
    (dict(type='MMCT'), 'abc', 'model.type=VALUE'),
    (dict(type='MMCT'), '5', 'is a group of options'),
])
def test_another_kind_of_value(current, text, message):
    with pytest.raises(ConfigError) as caught:
        meant('model', OptionText(text), current, False)
    assert str(caught.value).startswith(f'--cfg-options model={text}:')
    assert message in str(caught.value)


@pytest.mark.parametrize('current, text, value', [
    (0.1, '1', 1), (1, '0.5', 0.5), (1, 'None', None), (True, '0', False),
    ((1.0, ), '1.0,1.5', [1.0, 1.5]), (['a'], 'all', 'all'),
    ('all', 'cat,dog', ['cat', 'dog']), (48, '(48,64)', (48, 64)),
    (None, '[1,a]', [1, 'a']), (dict(a=1), 'None', None)])
def test_values_that_fit(current, text, value):
    assert meant('a.b', OptionText(text), current, False) == value


@pytest.mark.parametrize('name', ['2012', 'a,b'])
def test_training_on_such_a_folder(name, localizer_config, shapes, tmp_path,
                                   monkeypatch):
    monkeypatch.chdir(shapes)
    (tmp_path / 'shapes' / 'JPEGImages').rename(tmp_path / 'shapes' / name)
    for folder in ('SegmentationClassAug',):
        assert (tmp_path / 'shapes' / folder).is_dir()
    options = [f'{part}_dataloader.dataset.data_prefix.img_path={name}'
               for part in ('train', 'val')]
    assert run_tool('train', localizer_config, '--work-dir', tmp_path / 'run',
                    '--cfg-options', *options,
                    'train_cfg.max_epochs=1') is None
    assert (tmp_path / 'run' / 'epoch_1.pth').is_file()
