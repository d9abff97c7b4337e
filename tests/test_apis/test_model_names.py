"""Models by a run's folder, a config or a name."""
import os.path as osp

import pytest

from mmwsss.apis import list_models
from mmwsss.apis.model_names import find_model, trained_network
from mmwsss.problems import ConfigError


def test_all_shipped_configs_have_a_name():
    names = list_models()
    assert 'mmct_voc' in names and 'weclip_voc' in names
    assert names == sorted(names) and not any('.' in one for one in names)


def test_a_name_or_a_path_with_weights(localizer_config):
    assert find_model('mmct_voc', 'w.pth').checkpoint == 'w.pth'
    found = find_model(localizer_config, 'w.pth')
    assert osp.samefile(found.cfg.filename, localizer_config)
    assert found.threshold is None


def test_the_best_of_the_work_folder(trained, monkeypatch):
    cfg, checkpoint = trained
    monkeypatch.setattr('mmwsss.apis.model_names.load_config',
                        lambda path, options: cfg)
    assert find_model(cfg.filename).checkpoint == checkpoint


@pytest.mark.parametrize('model, options, message', [
    ('mmct_vok', {}, "did you mean 'mmct_voc'"),
    ('mmct_voc', dict(network='segmentor'), 'no folder of a run'),
    ('mmct_voc', {}, 'give weights'),
    ('clip_es_voc', dict(cfg_options=dict(pretrained='')), 'pretrained'),
    ('.', {}, 'no trained network'),
    ('.', dict(weights='w.pth'), 'those of the run'),
    ('.', dict(network='decoder'), 'use one of')])
def test_what_is_missing_is_named(model, options, message, tmp_path,
                                  monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message) as caught:
        find_model(model, **options)
    assert '\n' not in str(caught.value)


def test_a_run_without_networks(tmp_path):
    with pytest.raises(ConfigError, match='no trained network'):
        trained_network(str(tmp_path))
