"""Where networks run."""
from typing import Optional

import torch


def choose_device(name: Optional[str]) -> torch.device:
    """The named device; for None the GPU if there is one, else the CPU."""
    if name is None:
        name = 'cuda' if torch.cuda.is_available() else 'cpu'
    return torch.device(name)
