"""Localizers whose weights are the pre-trained ones."""
import os
import os.path as osp
import shutil

import pytest
import torch
from clip_nets import shapes_config, write_text
from command_lines import run_tool
from mmengine.config import Config

from mmwsss.apis import (
    compare,
    generate_pseudo_labels,
    load_config,
    run_pipeline,
)
from mmwsss.apis.untrained import (
    check_weights_are_named,
    files_digest,
    needs_no_training,
)
from mmwsss.files.checkpoints import cached_path
from mmwsss.problems import ConfigError


@pytest.fixture
def clip_es(shapes, weights, tmp_path):
    """Path of a config of CLIP-ES, and its weights, which may be changed."""
    own = shutil.copy(weights, tmp_path / 'clip.pth')
    return shapes_config('clip_es_voc', tmp_path, shapes, str(own))


def generate(config, out, options=None, **kwargs):
    return generate_pseudo_labels(load_config(config, options or {}), None,
                                  str(out), **kwargs)


def content(out):
    return {osp.relpath(osp.join(folder, name), out):
            open(osp.join(folder, name), 'rb').read()
            for folder, _, names in os.walk(out) for name in names
            if osp.basename(folder) in ('maps', 'masks')}


def test_a_config_without_train_cfg_needs_no_training(clip_es,
                                                      localizer_config):
    assert needs_no_training(load_config(clip_es))
    assert not needs_no_training(load_config(localizer_config))


def test_maps_and_masks_without_a_checkpoint(clip_es, tmp_path):
    whole, parts = tmp_path / 'whole', tmp_path / 'parts'
    report = generate(clip_es, whole)
    assert report['images'] == 8 and report['mIoU'] > 0 and report['mAP'] > 0
    assert run_tool('gen_pseudo', clip_es, '--out-dir', parts) is None
    assert len(content(whole)) == 16 and content(whole) == content(parts)
    # Half of it is gone: the rest is made again, the same.
    kept = os.stat(parts / 'maps' / 'img0.npz').st_mtime_ns
    for i in range(4, 8):
        os.remove(parts / 'maps' / f'img{i}.npz')
    generate(clip_es, parts)
    assert content(whole) == content(parts)
    assert os.stat(parts / 'maps' / 'img0.npz').st_mtime_ns == kept


def other_weights(path):
    state = torch.load(path)
    state['visual.proj'] = state['visual.proj'] + 1
    torch.save(state, path)


def other_text(path):
    write_text(path, torch.randn(4, 24), ['red', 'blue'], ['grass', 'sky'])


@pytest.mark.parametrize('file, change', [('clip.pth', other_weights),
                                          ('text.npz', other_text)])
def test_maps_of_other_files_are_not_mixed(clip_es, tmp_path, file, change):
    out = tmp_path / 'out'
    generate(clip_es, out)
    before = content(out)
    change(tmp_path / file)
    os.remove(out / 'maps' / 'img0.npz')
    error = run_tool('gen_pseudo', clip_es, '--out-dir', out)
    assert error.startswith(f'error: {out} holds maps made with other ')
    assert not (out / 'maps' / 'img0.npz').exists()
    generate(clip_es, out, overwrite=True)
    assert content(out).keys() == before.keys()
    assert content(out) != before


@pytest.mark.parametrize('options, parts', [
    ({'pretrained': ''}, ('clip_es_voc.py', 'model.backbone.pretrained',
                          '--cfg-options pretrained=')),
    ({'pretrained': 'no/such.pth'}, ('no/such.pth', 'no such file', 'Give')),
    ({'text_embeddings': 'no/such.npz'},
     ('no/such.npz', 'no such file', 'extract_text_embeddings.py'))])
def test_what_is_missing_is_named_before_any_work(clip_es, tmp_path, options,
                                                  parts):
    [(key, value)] = options.items()
    out = tmp_path / 'out'
    error = run_tool('gen_pseudo', clip_es, '--out-dir', out,
                     '--cfg-options', f'{key}={value}')
    assert error.startswith('error: ') and '\n' not in error
    for part in parts:
        assert part in error
    assert not content(out)


def test_there_is_nothing_to_train(clip_es, tmp_path):
    error = run_tool('train', clip_es, '--work-dir', tmp_path / 'run')
    assert error.startswith(f'error: {clip_es}: it has no train_cfg')
    assert 'tools/gen_pseudo.py' in error and '\n' not in error


def test_a_trained_localizer_still_needs_its_checkpoint(localizer_config,
                                                        tmp_path):
    error = run_tool('gen_pseudo', localizer_config, '--out-dir',
                     tmp_path / 'out')
    assert error.startswith('error: give either the checkpoint')


@pytest.mark.parametrize('source', ['path', 'url', 'home'])
def test_digests_follow_the_content(tmp_path, monkeypatch, source):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.setenv('HOME', str(tmp_path))
    url = 'https://example.org/clip.bin'
    path = dict(url=cached_path(url)).get(source, str(tmp_path / 'a.pth'))
    text = tmp_path / 'text.npz'
    text.write_bytes(b'text')

    def download(address, target):  # as of a first use
        assert address == url
        with open(target, 'wb') as file:
            file.write(b'first')

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    if source != 'url':
        download(url, path)
    model = dict(backbone=dict(pretrained=dict(url=url, path=path).get(
        source, '~/a.pth')), evidence=dict(text_embeddings=str(text)))
    first = files_digest(model)
    assert first == files_digest(model)
    with open(path, 'wb') as file:
        file.write(b'other content')
    second = files_digest(model)
    text.write_bytes(b'another text')
    assert len({first, second, files_digest(model)}) == 3


def test_no_weights_are_an_error(tmp_path):
    for empty in (None, ''):
        cfg = Config(dict(model=dict(backbone=dict(pretrained=empty))))
        with pytest.raises(ConfigError, match='names no weights'):
            check_weights_are_named(cfg)


def test_a_pipeline_without_the_stage_of_the_localizer(
        clip_es, segmentor_config, tmp_path):
    work_dir = str(tmp_path / 'all')
    first = run_pipeline(clip_es, segmentor_config, work_dir)
    assert list(first) == ['pseudo_train', 'pseudo_val', 'segmentor', 'test']
    assert first['test']['mIoU'] > 0
    assert run_pipeline(clip_es, segmentor_config, work_dir) == first
    # What was made with other files is not passed off as this.
    other_text(tmp_path / 'text.npz')
    with pytest.raises(ConfigError, match='pseudo_train'):
        run_pipeline(clip_es, segmentor_config, work_dir)


def test_compared_over_seeds(clip_es, tmp_path):
    [row] = compare([clip_es], None, str(tmp_path / 'compared'), seeds=[0, 1])
    assert list(row['scores']) == ['mAP val', 'seeds train', 'seeds val']
    # Nothing in it is drawn by chance.
    assert len(set(row['scores']['seeds train'])) == 1
