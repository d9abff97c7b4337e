"""On what and with which versions results were made."""
import importlib.metadata
import os
import platform
from typing import Dict

import torch

from mmwsss.version import __version__

_PACKAGES = ('torch', 'torchvision', 'onedl-mmengine', 'onedl-mmcv',
             'onedl-mmsegmentation', 'onedl-mmpretrain', 'numpy')


def environment() -> Dict[str, str]:
    """Machine and versions, name -> value; nothing that names a person.

    Example:
        >>> environment()['mmwsss'] == __version__
        True
    """
    found = {'processor': _processor(),
             'cores': str(os.cpu_count() or 1)}
    if torch.cuda.is_available():
        found['GPU'] = torch.cuda.get_device_name()
        found['CUDA'] = str(torch.version.cuda)
    found.update(system=platform.platform(), Python=platform.python_version(),
                 mmwsss=__version__)
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass  # the original package, or installed in another way
    return found


def _processor() -> str:
    """Its name, where the system tells it."""
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            for line in file:
                name, _, value = line.partition(':')
                if name.strip() == 'model name':
                    return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
