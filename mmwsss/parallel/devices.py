"""Where networks run."""
from typing import Optional

import torch


def choose_device(name: Optional[str]) -> torch.device:
    """Where to run what.

    Args:
        name (str, optional): 'cpu', 'cuda', 'cuda:1', ...; None for the GPU
            if there is one, else the CPU.

    Returns:
        torch.device: The device.
    """
    if name is None:
        name = 'cuda' if torch.cuda.is_available() else 'cpu'
    return torch.device(name)
