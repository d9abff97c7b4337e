import numpy as np
import pytest
from tagged_photos import COSTS, tagged

from mmwsss.apis.choices import (
    Choices,
    choose_network,
    choose_sizes,
    choose_training,
    hold_out,
)
from mmwsss.problems import ConfigError

CPU = dict(device='cpu', gpu=None, gpu_memory_gb=None, cores=4, threads=4)
GPU = dict(CPU, device='cuda', gpu='a GPU', gpu_memory_gb=16)


def chosen(learned=300, budget=None, held_out=50, machine=CPU, **kwargs):
    """Values, reasons and seconds of a plan for so many photos."""
    choices = Choices()
    choices.choose('held_out', held_out, 'A test.')
    choose_network(choices, machine, 'deit.pth', 'deit.pth')
    choose_sizes(choices, learned, dict(median=[480, 640],
                                        largest=[3000, 4000]))
    seconds = choose_training(choices, learned, COSTS, budget, **kwargs)
    return choices.values, choices.reasons, seconds


@pytest.mark.parametrize('learned', [1, 3, 17, 60, 1200, 20000])
@pytest.mark.parametrize('machine', [CPU, GPU])
def test_sizes_fit_the_photos(learned, machine):
    values, reasons, _ = chosen(learned, machine=machine)
    assert 1 <= values['batch_size'] <= min(learned, 16)
    assert 5 <= values['localizer_epochs'] <= 100
    assert values['max_side'] == 2 * values['input_side']
    assert values['amp'] == (machine is GPU)
    assert set(reasons) == set(values)
    assert all(len(reason) > 5 for reason in reasons.values())


@pytest.mark.parametrize('budget', [400, 900, 3000])
@pytest.mark.parametrize('learned', [40, 150, 400])
def test_a_plan_stays_within_its_time(learned, budget):
    values, reasons, seconds = chosen(learned, budget)
    assert sum(seconds.values()) <= 0.9 * budget
    assert abs(values['time_seconds'] - sum(seconds.values())) <= 1
    more = chosen(learned, 2 * budget)[0]
    for name in ('localizer_epochs', 'segmentor_iterations'):
        assert values[name] <= more[name]
    # What is given is used, unless everything is done as it should be.
    if 'as many as' not in reasons['localizer_epochs'].lower():
        assert sum(seconds.values()) > 0.7 * budget


def test_affinity_where_there_is_time():
    assert chosen(300)[0]['affinity'] is True
    assert 'affinity_val' in chosen(300)[2]
    assert 'affinity_val' not in chosen(300, held_out=0)[2]
    for kwargs, why in ((dict(learned=60), 'fewer than'),
                        (dict(budget=500), 'more than'),
                        (dict(affinity=False), 'Not asked')):
        values, reasons, seconds = chosen(**kwargs)
        assert values['affinity'] is False and why in reasons['affinity']
        assert 'affinity' not in seconds and values['affinity_epochs'] == 0


def test_affinity_that_is_asked_for_shortens_the_rest():
    values, reasons, seconds = chosen(300, 500, asked=True)
    assert values['affinity'] and '--affinity' in reasons['affinity']
    assert seconds['affinity'] > 0 and sum(seconds.values()) <= 0.9 * 500
    without = chosen(300, 500)[0]
    assert not without['affinity']
    assert values['localizer_epochs'] < without['localizer_epochs']
    with pytest.raises(ConfigError, match='too short'):
        chosen(300, 300, asked=True)
    chosen(300, 300)


def test_too_little_time_names_the_least():
    with pytest.raises(ConfigError, match='1 s: too short.* take .* at least'):
        chosen(budget=1)
    with pytest.raises(ConfigError) as error:
        chosen(budget=1)
    least = float(str(error.value).split(' take ')[1].split()[0])
    unit = 60 if ' min at least' in str(error.value) else 1
    chosen(budget=1.02 * least * unit)


def test_few_photos_are_not_held_out():
    for count in (3, 19):
        choices = Choices()
        assert not hold_out(choices, tagged(np.eye(2)[np.arange(count) % 2]),
                            0.15).any()
        assert 'last checkpoints' in choices.reasons['held_out']
    assert hold_out(Choices(), tagged(np.eye(2)[np.arange(20) % 2]),
                    0.2).sum() == 4


def test_copies_are_held_out_together():
    digests = [str(i // 2) for i in range(40)]
    held_out = hold_out(Choices(), tagged(
        np.eye(2)[np.arange(40) % 2], digests=digests), 0.2)
    assert held_out.any() and (held_out[::2] == held_out[1::2]).all()


def test_no_weights_say_what_to_expect():
    choices = Choices()
    choose_network(choices, CPU, None, 'deit.pth')
    assert 'Expect' in choices.reasons['weights']
