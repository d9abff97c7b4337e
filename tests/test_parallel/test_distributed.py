"""Processes that share one job; with several in the tests of generation."""
import os

import pytest
import torch

from mmwsss.parallel.distributed import (
    cpu_share,
    on_main_process,
    process_group,
)
from mmwsss.problems import ConfigError, DataError


def test_one_process_needs_no_group():
    with process_group('none'):
        assert not torch.distributed.is_initialized()


@pytest.mark.skipif(torch.cuda.is_available(), reason='has a GPU')
@pytest.mark.parametrize('launcher', ['slurm', 'mpi'])
def test_launchers_that_need_gpus(launcher):
    with pytest.raises(ConfigError, match=f'--launcher {launcher} needs GPUs'):
        with process_group(launcher):
            pytest.fail('began')


def test_result_or_error_of_the_main_process():
    assert on_main_process(lambda: 7) == 7

    def fail():
        raise DataError('a.png: damaged')

    with pytest.raises(DataError, match='a.png: damaged'):
        on_main_process(fail)


@pytest.mark.parametrize('cores, processes, share', [
    (8, 2, 4), (8, 3, 2), (2, 4, 1), (None, 1, 1)])
def test_cores_are_shared_by_the_processes_of_a_machine(
        monkeypatch, cores, processes, share):
    monkeypatch.setattr(os, 'cpu_count', lambda: cores)
    monkeypatch.setenv('LOCAL_WORLD_SIZE', str(processes))
    assert cpu_share() == share
    monkeypatch.delenv('LOCAL_WORLD_SIZE')
    assert cpu_share() == (cores or 1)
