"""Processes that share one job."""
import os
from contextlib import contextmanager
from typing import Any, Callable, Iterator, List, TypeVar

import torch
import torch.distributed as torch_dist
from mmengine.dist import (
    broadcast_object_list,
    get_world_size,
    init_dist,
    is_distributed,
    is_main_process,
)

from mmwsss.problems import ConfigError, DataError

Result = TypeVar('Result')


@contextmanager
def process_group(launcher: str) -> Iterator[None]:
    """The processes that a launcher started, as one group.

    Args:
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'. Without a GPU,
            'pytorch' (torchrun) uses gloo; the others need GPUs.

    Raises:
        ConfigError: If the launcher needs a GPU and there is none.
    """
    if launcher == 'none' or is_distributed():
        yield
        return
    if torch.cuda.is_available():
        init_dist(launcher, backend='nccl')
    elif launcher == 'pytorch':
        torch_dist.init_process_group('gloo')
    else:
        raise ConfigError(f'--launcher {launcher} needs GPUs; on CPUs start '
                          'the tool with torchrun and --launcher pytorch')
    try:
        yield
    finally:
        torch_dist.destroy_process_group()


def on_main_process(function: Callable[[], Result]) -> Result:
    """Call a function in the main process; all get its result or error.

    Args:
        function (callable): Takes nothing; its result can be pickled.

    Returns:
        Any: Its result, in every process.

    Raises:
        ConfigError: If the function does, in every process.
        DataError: If the function does, in every process.
    """
    outcome: List[Any] = [None, None]  # the result, the error
    if is_main_process():
        try:
            outcome[0] = function()
        except (ConfigError, DataError) as error:
            outcome[1] = error
    if is_distributed():
        broadcast_object_list(outcome)
    if outcome[1] is not None:
        raise outcome[1]
    return outcome[0]


def cpu_share() -> int:
    """CPU cores for each of the processes of this machine."""
    here = int(os.environ.get('LOCAL_WORLD_SIZE', get_world_size()))
    return max(1, (os.cpu_count() or 1) // here)
