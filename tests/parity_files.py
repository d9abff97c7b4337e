"""The parity files: arrays, weights by formula, tolerances."""
import json
import zlib

import numpy as np
import torch

from mmwsss.conversion.convert import check_converted, convert
from mmwsss.registry import MODELS


def read(path):
    """All arrays of a file."""
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def close(got, want, tolerance=2e-5):
    """Assert that tensors differ by little against the largest value."""
    want = torch.as_tensor(want)
    assert got.shape == want.shape
    assert (got - want).abs().max() <= tolerance * want.abs().max()


def check_loss(loss, leaf, want, want_gradient):
    """A loss and the gradient of its input, to the files' tolerances."""
    torch.testing.assert_close(loss, want.view(()), rtol=1e-5, atol=0)
    loss.backward()
    difference = (leaf.grad - want_gradient).abs().max()
    assert difference <= 1e-4 * want_gradient.abs().max()


def hashed(key, count, offset):
    """Weights that are too large to store, in [-1, 1)."""
    with np.errstate(over='ignore'):
        h = (np.arange(count, dtype=np.uint32) * np.uint32(2654435761) +
             np.uint32((zlib.crc32(key.encode()) + offset) % 2**32))
        for shift, factor in ((16, 2246822519), (13, 3266489917), (16, 1)):
            h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    return 2 * h.astype(np.float64) / 2**32 - 1


def published_resnet38(config, file, net, layout):
    """A model of ours with the published weights, without a copy of them."""
    with torch.device('meta'):
        model = MODELS.build(config)
    state, dropped = convert(file.weights(net), layout)
    check_converted(state, model, net, layout.names)
    assert not dropped
    model.load_state_dict(state, assign=True)
    return model.eval()


class ResNet38File:
    """ResNet38's file; weights of its networks, shared where they agree."""

    def __init__(self, path):
        self.arrays = read(path)
        self._weights = {}

    def __getitem__(self, name):
        return torch.from_numpy(self.arrays[name])

    def keys(self, net):
        """Published names and shapes of 'seg', 'cls' or 'aff'."""
        return dict(json.loads(str(self.arrays[f'{net}/keys_json'])))

    def weights(self, net):
        """The published network's weights."""
        for key, shape in self.keys(net).items():
            if key not in self._weights:
                self._weights[key] = self._weight(key, shape)
        state = {key: self._weights[key] for key in self.keys(net)}
        for key, values in zip(
                json.loads(str(self.arrays[f'{net}/probe_keys_json'])),
                self.arrays[f'{net}/probe_values']):
            flat = state[key].flatten()
            assert flat[[0, 1, 2, -1]].tolist() == values.tolist(), key
        return state

    def _weight(self, key, shape):
        if key.endswith('num_batches_tracked'):
            return torch.zeros(shape, dtype=torch.int64)
        value = hashed(key, int(np.prod(shape)),
                       int(self.arrays['formula_offset'])).reshape(shape)
        if len(shape) == 4:
            value = value * (3 / np.prod(shape[1:]))**0.5
        elif key.endswith('running_var'):
            value = 1 + 0.1 * value**2
        elif key.endswith('.weight'):
            value = 1 + 0.1 * value
        else:
            value = 0.1 * value
        return torch.from_numpy(value.astype(np.float32))


def toco_weights(arrays):
    """ToCo's published weights."""
    state = {}
    for key, shape in json.loads(str(arrays['all_keys_json'])):
        if f'sd/{key}' in arrays:
            state[key] = torch.from_numpy(arrays[f'sd/{key}'])
            continue
        value = hashed(key, int(np.prod(shape)), int(arrays['formula_offset']))
        gain = 1.6 if key in ('decoder.conv6.weight',
                              'decoder.conv7.weight') else 1.3
        value = value * 3**0.5 * gain / np.prod(shape[1:])**0.5
        state[key] = torch.from_numpy(value.astype(np.float32)).view(shape)
        probe = state[key].flatten()[[0, 1, 2, -1]]
        assert np.array_equal(probe, arrays[f'formula_probe/{key}'])
    return state


def mctformer_weights(arrays):
    """MCTformer+'s published weights."""
    return {key: torch.from_numpy(arrays[f'sd/{key}']).view(shape)
            for key, shape in json.loads(str(arrays['all_keys_json']))}
