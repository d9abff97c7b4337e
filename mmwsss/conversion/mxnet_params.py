"""MXNet's ``.params`` files, read without MXNet."""
import os
import struct
from typing import BinaryIO, Dict, Tuple

import numpy as np
import torch

from mmwsss.problems import DataError, one_line

# The first eight bytes of a list of arrays.
FILE_MAGIC = 0x112
# What an array of a later format version begins with; the first version
# begins with its number of dimensions.
_ARRAY_V1, _ARRAY_V2, _ARRAY_V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_DTYPES = ('float32', 'float64', 'float16', 'uint8', 'int32', 'int8', 'int64')
_MOST_DIMENSIONS = 32


def read_mxnet_params(path: str) -> Dict[str, torch.Tensor]:
    """Arrays of a ``.params`` file, e.g. ``arg:conv1a_weight``.

    The format, in little-endian order: uint64 magic, uint64 reserved, uint64
    count, the arrays, uint64 count, the names (uint64 length and bytes each).
    An array: [uint32 version, int32 storage type], uint32 number of
    dimensions, the sizes (uint32 in the first version, int64 later), int32
    device type, int32 device, int32 data type, the values.

    Args:
        path (str): The file.

    Returns:
        dict: Name -> tensor.

    Raises:
        DataError: If the file is damaged, or holds sparse arrays. What it
            says of sizes is believed only as far as its own size goes.
    """
    try:
        with open(path, 'rb') as file:
            size = os.fstat(file.fileno()).st_size
            magic, _, count = _unpack(file, '<QQQ')
            if magic != FILE_MAGIC:
                raise ValueError('it does not begin as one')
            if count > size:
                raise ValueError(f'{count} arrays in {size} bytes')
            arrays = [_read_array(file, size) for _ in range(count)]
            names = []
            for _ in range(_unpack(file, '<Q')[0]):
                names.append(_take(file, _unpack(file, '<Q')[0], size
                                   ).decode())
    except Exception as error:  # a damaged file can raise nearly anything
        raise DataError(f'{path}: not a readable MXNet .params file '
                        f'({one_line(error)})') from error
    if len(names) != len(arrays):
        raise DataError(f'{path}: {len(arrays)} arrays, but {len(names)} '
                        'names')
    if len(set(names)) != len(names):
        raise DataError(f'{path}: two arrays of one name')
    return dict(zip(names, arrays))


def _unpack(file: BinaryIO, layout: str) -> Tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _take(file: BinaryIO, length: int, size: int) -> bytes:
    """So many bytes; a damaged length is not first reserved in memory."""
    content = file.read(length) if length <= size else b''
    if len(content) != length:
        raise ValueError('it ends too early')
    return content


def _read_array(file: BinaryIO, size: int) -> torch.Tensor:
    first, = _unpack(file, '<I')
    if first in (_ARRAY_V2, _ARRAY_V3) and _unpack(file, '<i')[0] != 0:
        raise ValueError('sparse arrays are not supported')
    later = first in (_ARRAY_V1, _ARRAY_V2, _ARRAY_V3)
    dimensions = _unpack(file, '<I')[0] if later else first
    if dimensions > _MOST_DIMENSIONS:
        raise ValueError(f'an array of {dimensions} dimensions')
    shape = _unpack(file, f'<{dimensions}{"q" if later else "I"}')
    if min(shape, default=1) < 1:
        raise ValueError(f'an array of shape {shape}')
    if dimensions == 0:
        return torch.empty(0)
    _, _, kind = _unpack(file, '<iii')
    if not 0 <= kind < len(_DTYPES):
        raise ValueError(f'data type {kind}')
    dtype = np.dtype(_DTYPES[kind]).newbyteorder('<')
    length = int(np.prod(shape, dtype=object)) * dtype.itemsize
    values = np.frombuffer(_take(file, length, size), dtype).reshape(shape)
    return torch.from_numpy(values.astype(_DTYPES[kind]))
