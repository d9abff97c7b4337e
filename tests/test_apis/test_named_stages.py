"""Pipelines that a config spells out."""
import os.path as osp

import pytest

from mmwsss.apis import run_pipeline
from mmwsss.apis.pipeline import path_stages
from mmwsss.problems import ConfigError

STAGES = '''
stages = [
    dict(type='Train', name='loc', config='localizer.py'),
    dict(type='Generate', name='maps', config='localizer.py',
         inputs=dict(checkpoint='loc')),
    dict(type='Train', name='seg', config='segmentor.py',
         inputs=dict(masks='maps'),
         options=dict(pseudo_masks='{work_dir}/maps/masks')),
]
'''


@pytest.fixture
def pipeline(localizer_config, segmentor_config, tmp_path):
    """Writes a pipeline's config beside those of its stages."""
    def write(text=STAGES):
        assert osp.dirname(localizer_config) == str(tmp_path)
        (tmp_path / 'path.py').write_text(text)
        return str(tmp_path / 'path.py')
    return write


def test_its_stages_run_in_order_and_once(pipeline, tmp_path):
    work_dir = str(tmp_path / 'run')
    options = {'train_cfg.max_epochs': 1, 'train_cfg.max_iters': 2}
    results = run_pipeline(pipeline(), None, work_dir, options)
    assert list(results) == ['loc', 'maps', 'seg']
    assert osp.isfile(osp.join(work_dir, 'maps', 'masks', 'img0.png'))
    assert results['seg']['checkpoint'] == osp.join(work_dir, 'seg',
                                                    'iter_2.pth')
    assert run_pipeline(pipeline(), None, work_dir, options) == results


@pytest.mark.parametrize('wrong, message', [
    ("type='Trian'", "stage 'loc': unknown type 'Trian' .did you mean"),
    ("type='Train', ampp=True", "stage 'loc': .*ampp"),
])
def test_a_wrong_stage_is_named(pipeline, tmp_path, wrong, message):
    text = STAGES.replace("type='Train'", wrong, 1)
    with pytest.raises(ConfigError, match=message):
        run_pipeline(pipeline(text), None, str(tmp_path / 'run'))


def test_an_input_has_to_come_from_an_earlier_stage(pipeline, tmp_path):
    with pytest.raises(ConfigError, match="stage 'maps': unknown earlier"):
        run_pipeline(pipeline(STAGES.replace("checkpoint='loc'",
                                             "checkpoint='lok'")), None,
                     str(tmp_path / 'run'))


@pytest.mark.parametrize('folder', ['{0}', 'a{b', '{}', '{other}'])
def test_other_braces_in_options_stay(pipeline, tmp_path, folder):
    text = STAGES.replace('{work_dir}/maps', '{work_dir}/' + folder)
    *_, segmentor = path_stages(pipeline(text), None, str(tmp_path / 'run'))
    assert segmentor.config.train_dataloader.dataset.masks == osp.join(
        str(tmp_path / 'run'), folder, 'masks')
