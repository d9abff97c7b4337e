"""Misspelt arguments of parts are named before any work."""
import pytest

from mmwsss.apis import load_config
from mmwsss.apis.part_arguments import unknown_argument
from mmwsss.problems import ConfigError


@pytest.mark.parametrize('option, meant', [
    ('train_cfg.max_epoch', 'max_epochs'),
    ('model.backbone.num_clases', 'num_classes'),
    ('model.backbone.drop_rat', 'drop_rate'),
    ('optim_wrapper.optimizer.lrr', 'lr'),
    ('optim_wrapper.clip_gard', 'clip_grad'),
    ('param_scheduler.0.eta_mn', 'eta_min'),
    ('default_hooks.checkpoint.intervall', 'interval'),
    ('train_dataloader.dataset.ann_fil', 'ann_file'),
    ('train_dataloader.dataset.label_source.allow_emty', 'allow_empty'),
    ('train_pipeline.0.leniant', 'lenient'),
    ('train_dataloader.sampler.shufle', 'shuffle')])
def test_misspelt_arguments(option, meant, localizer_config):
    with pytest.raises(ConfigError, match=f'did you mean {meant!r}') as error:
        load_config(localizer_config, {option: 1})
    assert str(error.value).startswith(f'--cfg-options {option}: ')


@pytest.mark.parametrize('option, value', [
    ('model.backbone.drop_rate', 0.1),
    ('optim_wrapper.accumulative_counts', 2),
    ('optim_wrapper.clip_grad', dict(max_norm=1.)),
    ('optim_wrapper.optimizer.amsgrad', True),
    ('default_hooks.checkpoint.save_optimizer', False),
    ('param_scheduler.0.verbose', True),
    ('train_dataloader.dataset.check_images', 'decode'),
    ('train_dataloader.dataset.indices', 4),
    ('train_dataloader.dataset.label_source.allow_empty', True)])
def test_arguments_that_the_config_leaves_out(option, value,
                                              localizer_config):
    node = load_config(localizer_config, {option: value})
    for name in option.split('.'):
        node = node[int(name)] if name.isdigit() else node[name]
    assert node == value


def test_parts_that_nobody_knows_are_judged_by_their_builder():
    assert unknown_argument(dict(type='NoSuchPart'), 'anything') == ''
    assert unknown_argument(dict(type=dict), 'anything') == ''
