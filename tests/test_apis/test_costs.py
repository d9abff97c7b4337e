import os

import pytest
import torch
from shapes import AFFINITY, ROOT
from tagged_photos import COSTS

from mmwsss.apis import load_config
from mmwsss.apis.costs import Costs, measure_costs


@pytest.mark.parametrize('affinity_epochs', [0, 3])
@pytest.mark.parametrize('held_out', [0, 10])
def test_every_stage_has_its_time(held_out, affinity_epochs):
    def of(**kwargs):
        return COSTS.seconds(**dict(
            dict(photos=100, held_out=held_out, batch=8, epochs=20,
                 iterations=50, affinity_epochs=affinity_epochs), **kwargs))
    seconds = of()
    assert ('affinity' in seconds) == (affinity_epochs > 0)
    assert ('pseudo_val' in seconds) == (held_out > 0)
    assert all(value > 0 for value in seconds.values())
    for what, stage in (('epochs', 'localizer'), ('iterations', 'segmentor'),
                        ('photos', 'pseudo_train')):
        longer = of(**{what: 1000})
        assert longer[stage] > seconds[stage]
    assert of(photos=3)['localizer'] > 0


def test_networks_are_timed(localizer_config, segmentor_config, shapes,
                            tmp_path):
    """With the real networks of the configs, none of whose results is there.
    """
    path = tmp_path / 'irn.py'
    path.write_text(AFFINITY.format(
        root=ROOT, name='irn_deit-tiny_voc', data_root=shapes,
        maps=str(tmp_path / 'nowhere')))
    before = set(os.listdir(tmp_path))
    with open(segmentor_config, 'a') as file:
        file.write('\ntrain_pipeline = {{_base_.train_pipeline}}\n')
    configs = [load_config(str(one))
               for one in (localizer_config, segmentor_config, path)]
    costs = measure_costs(*configs, torch.device('cpu'), (48, 64))
    assert set(os.listdir(tmp_path)) == before
    rounded = costs.rounded()
    assert set(rounded) == set(vars(Costs(0, 0, 0, 0)))
    assert all(0 < value < 60 for value in rounded.values())
    without = measure_costs(*configs[:2], None, torch.device('cpu'), (48, 64))
    assert without.affinity_step == 0
