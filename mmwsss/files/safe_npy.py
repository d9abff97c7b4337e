"""Reading the field's pickled ``.npy`` dicts without running code."""
import io
import pickle
from typing import Any

import numpy as np
import torch
from numpy.lib import format as npy_format

from mmwsss.problems import DataError

# What numpy itself writes for arrays, scalars and their types. The names of
# numpy's private module changed with numpy 2.
_ALLOWED = {('numpy', 'ndarray'), ('numpy', 'dtype'),
            ('_codecs', 'encode'), ('collections', 'OrderedDict'),
            ('torch._utils', '_rebuild_tensor_v2')} | {
    (f'numpy.{core}.{module}', name)
    for core in ('core', '_core')
    for module, name in (('multiarray', '_reconstruct'),
                         ('multiarray', 'scalar'),
                         ('numeric', '_frombuffer'))
}


class _ArrayUnpickler(pickle.Unpickler):
    """Accepts arrays, tensors, dicts, lists, strings and numbers only."""

    def find_class(self, module: str, name: str) -> Any:
        # IRN stores CPU tensors, whose bytes are a pickle of their own.
        if (module, name) == ('torch.storage', '_load_from_bytes'):
            return _load_storage
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f'{module}.{name}')
        if module.startswith('numpy.'):
            core = getattr(np, '_core', None) or np.core
            return getattr(getattr(core, module.rsplit('.', 1)[1]), name)
        return super().find_class(module, name)


def _load_storage(content: bytes) -> object:
    try:
        return torch.load(io.BytesIO(content), map_location='cpu',
                          weights_only=True)
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError('code inside a tensor') from error


def load_npy_dict(path: str) -> dict:
    """Read a dict that was saved with ``np.save(path, {...})``.

    Args:
        path (str): A ``.npy`` file that holds one pickled dict.

    Returns:
        dict: The dict.

    Raises:
        DataError: If the file is not such a dict, or asks for anything but
            arrays, tensors, dicts, lists, strings and numbers.
    """
    try:
        with open(path, 'rb') as file:
            version = npy_format.read_magic(file)
            reader = (npy_format.read_array_header_1_0 if version == (1, 0)
                      else npy_format.read_array_header_2_0)
            shape, _, dtype = reader(file)
            if not dtype.hasobject or shape != ():
                raise DataError(f'{path}: expected one pickled dict, got an '
                                f'array of type {dtype} and shape {shape}')
            content = _ArrayUnpickler(file).load()
    except OSError as error:
        raise DataError(f'{path}: cannot be read ({error})') from error
    except pickle.UnpicklingError as error:
        raise DataError(
            f'{path}: refused, its pickle asks for {error}. Only numpy '
            'arrays, tensors, dicts and strings are read.') from error
    except DataError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataError(f'{path}: not a readable .npy dict '
                        f'({type(error).__name__}: {error})') from error
    if isinstance(content, np.ndarray) and content.shape == ():
        content = content.item()
    if not isinstance(content, dict):
        raise DataError(f'{path}: expected a dict, got '
                        f'{type(content).__name__}')
    return content
