"""ToCo's published losses."""
import numpy as np
import pytest
import torch


@pytest.fixture
def toco_losses(test_data):
    """Arrays of the published losses as tensors."""
    with np.load(test_data('parity', 'toco_losses.npz')) as file:
        yield lambda name: torch.from_numpy(file[name])
