import json
import os

import mmengine
import pytest
from command_lines import run_tool
from mmengine.config import Config

from mmwsss.apis import load_config
from mmwsss.problems import ConfigError

TAGS = [
    '!!python/object/apply:os.system ["touch PWNED"]',
    '!!python/object/new:os.system ["touch PWNED"]',
    '!!python/name:os.system ""',
    '!!python/module:os ""',
    '!!python/object:argparse.Namespace {a: 1}',
    '!command "touch PWNED"',
    '{a: [1, !!python/object/apply:os.system ["touch PWNED"]]}',
]


@pytest.mark.parametrize('tag', TAGS)
@pytest.mark.parametrize('ending', ['yaml', 'yml'])
@pytest.mark.parametrize('as_base', [False, True])
def test_no_code_runs(tag, ending, as_base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f'c.{ending}'
    path.write_text(f'y: 1\nx: {tag}\n')
    if as_base:
        path = tmp_path / 'child.py'
        path.write_text(f"_base_ = './c.{ending}'\n")
    with pytest.raises(ConfigError, match=r'config .*: line 2: the tag '
                       '.*could run code') as caught:
        load_config(str(path))
    assert '\n' not in str(caught.value)
    assert not os.path.exists('PWNED')
    assert 'line 2' in run_tool('train', path)


def test_plain_yaml_is_a_config(localizer_config, tmp_path):
    path = tmp_path / 'c.yaml'
    path.write_text(f'_base_: {localizer_config}\ntrain_cfg:\n'
                    '  max_epochs: 1\nscales: !!python/tuple [1.0, 1.5]\n')
    cfg = load_config(str(path))
    assert cfg.train_cfg.max_epochs == 1 and cfg.scales == (1.0, 1.5)
    assert cfg.model.type == 'MMCT'


def test_what_mmengine_writes_is_read(tmp_path):
    before = Config(dict(model=dict(scales=(1.0, 1.5), names=['a'], size=None,
                                    flip=True, place='~/x')))
    before.dump(str(tmp_path / 'c.yaml'))
    assert mmengine.load(tmp_path / 'c.yaml') == before.to_dict()


@pytest.mark.parametrize('name, text', [
    ('c.yaml', 'a: [1'), ('c.yaml', '- 1\n- 2\n'), ('c.yaml', ''),
    ('c.yaml', 'a: \x07'), ('c.json', '{"a": '), ('c.json', '[1]'),
    ('c.json', '[' * 5000), ('c.txt', 'a = 1'), ('c.py', 'a = b'),
])
def test_a_config_that_is_none(name, text, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    stopped = run_tool('train', path)
    assert stopped.startswith(f'error: config {path}: ')
    assert '\n' not in stopped


def test_json_is_a_config(localizer_config, tmp_path):
    path = tmp_path / 'c.json'
    path.write_text(json.dumps(dict(_base_=localizer_config,
                                    train_cfg=dict(max_epochs=1))))
    assert load_config(str(path)).train_cfg.max_epochs == 1
