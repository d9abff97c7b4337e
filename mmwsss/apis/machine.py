"""What the machine has, and which of its devices is to be used."""
import os
import os.path as osp
import shutil
from typing import Any, Dict, Optional

import torch

from mmwsss.problems import ConfigError

_GB = 1 << 30


def use_device(name: Optional[str]) -> torch.device:
    """Choose the device of everything that follows in this process.

    Mmengine takes a GPU wherever it sees one; so it is shown the chosen one
    alone. Call it before anything has used a GPU.

    Args:
        name (str, optional): 'cpu', 'cuda' or 'cuda:1'; None takes a GPU
            where there is one.

    Returns:
        torch.device: As this process sees it from now on.

    Raises:
        ConfigError: If there is no such device.
    """
    if name is None:
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f'--device {name}: unknown; give cpu, cuda or '
                          'cuda:1') from error
    if device.type not in ('cpu', 'cuda'):
        raise ConfigError(f'--device {name}: give cpu, cuda or cuda:1')
    if device.type == 'cpu':
        _show_gpus('')
        return device
    count = torch.cuda.device_count()
    if (device.index or 0) >= count:
        raise ConfigError(f'--device {name}: this machine has {count} GPU(s) '
                          'that PyTorch can use; give --device cpu')
    if device.index is not None and count > 1:
        visible = os.environ.get('CUDA_VISIBLE_DEVICES')
        names = visible.split(',') if visible else list(map(str, range(count)))
        _show_gpus(names[device.index])
    return torch.device('cuda')


def _show_gpus(names: str) -> None:
    """Hide all other GPUs from PyTorch, and from what asks mmengine."""
    os.environ['CUDA_VISIBLE_DEVICES'] = names
    from mmengine.device import utils
    if not names:
        utils.DEVICE = 'cpu'


def describe_machine(device: torch.device, folder: str) -> Dict[str, Any]:
    """What limits a run on this machine.

    Args:
        device (torch.device): Where networks run.
        folder (str): Where results are written; it need not be there.

    Returns:
        dict: ``device``, ``gpu`` (its name or None), ``gpu_memory_gb``,
        ``cores``, ``threads`` (of PyTorch), ``memory_gb`` and
        ``free_disk_gb``.
    """
    gpu = None
    if device.type == 'cuda':
        gpu = torch.cuda.get_device_properties(device)
    return dict(
        device=str(device),
        gpu=gpu.name if gpu else None,
        gpu_memory_gb=round(gpu.total_memory / _GB, 1) if gpu else None,
        cores=len(os.sched_getaffinity(0)),
        threads=torch.get_num_threads(),
        memory_gb=round(os.sysconf('SC_PAGE_SIZE')
                        * os.sysconf('SC_PHYS_PAGES') / _GB, 1),
        free_disk_gb=round(free_disk(folder) / _GB, 1))


def free_disk(folder: str) -> int:
    """Bytes that are free where a folder is, or will be, made."""
    place = osp.abspath(folder)
    while not osp.isdir(place):
        place = osp.dirname(place)
    return shutil.disk_usage(place).free
