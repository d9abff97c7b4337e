"""Reading the field's pickled ``.npy`` dicts without running code.

A pickle is a small program. Here it may build arrays, tensors, dicts, lists,
strings and numbers, and nothing that it says is believed before it is
counted: no size makes memory that the file does not fill, and what a file
shares among its parts, to unfold it later, counts as often as it is named.
"""
import io
import os
import pickle
import pickletools
import re
import struct
from typing import Any, Callable, ClassVar, Dict, List, Optional, Tuple

import numpy as np
import torch
from torch import Tensor

from mmwsss.problems import DataError, one_line

from .safe_npz import check_text, read_npy_header

MOST_BYTES = 2**31  # of a file; it is read as a whole
MOST_DEPTH = 20  # of containers inside of one another
# PyTorch's storages begin with these, see torch.serialization.
_TORCH_MAGIC, _TORCH_VERSION = 0x1950a86a20f9469cfc6c, 1001


class _Refused(Exception):
    """What a pickle asks for, and does not get."""


class _DType:
    """What the pickle says of an array's type: a plain one or ``object``."""

    def __init__(self, name: str) -> None:
        if not re.fullmatch(r'[<>|=]?([biufSU][1-9]\d{0,5}|O8?|\?)', name):
            raise _Refused(f'the numpy type {name!r:.40}')
        self.value = np.dtype(name)

    def set_state(self, state: Tuple[Any, ...]) -> None:
        if any(part is not None for part in state[2:5]):
            raise _Refused('a numpy type with parts')
        if state[1] in ('<', '>'):
            self.value = self.value.newbyteorder(state[1])


class _Array:
    """An array to be; numpy would reserve what its shape says."""

    def __init__(self) -> None:
        self.value: Optional[np.ndarray] = None

    def set_state(self, state: Tuple[Any, ...]) -> None:
        shape, dtype, fortran, values = state[-4:]
        self.fill(values, dtype.value, shape, 'F' if fortran else 'C')

    def fill(self, values: Any, dtype: np.dtype, shape: Tuple[int, ...],
             order: Any) -> '_Array':
        if dtype.hasobject:
            flat = np.empty(len(values), dtype=object)
            for place, value in enumerate(values):
                flat[place] = value
        elif len(values):
            flat = np.frombuffer(values, dtype)
            check_text(flat)
        else:
            flat = np.empty(0, dtype)
        self.value = flat.reshape(shape, order=order)
        return self


class _ArrayUnpickler(pickle._Unpickler):
    """Accepts arrays, tensors, dicts, lists, strings and numbers only.

    The unpickler in C reserves memory for what numbers in the file say, such
    as the place of a value in its memory. This one keeps to what is there.

    Args:
        content (bytes): A pickle.
    """

    stack: List[Any]
    read: Callable[[int], bytes]
    append: Callable[[Any], None]
    pop_mark: Callable[[], List[Any]]
    def no_code(self) -> None:
        raise _Refused('sets, objects or foreign parts')

    dispatch: ClassVar[Dict[int, Callable]] = dict(pickle._Unpickler.dispatch)
    # Codes that nothing needs which is accepted here: sets, foreign ids,
    # classes by number, objects by class, buffers elsewhere.
    for _code in (pickle.EMPTY_SET, pickle.FROZENSET, pickle.ADDITEMS,
                  pickle.PERSID, pickle.BINPERSID, pickle.EXT1, pickle.EXT2,
                  pickle.EXT4, pickle.INST, pickle.OBJ, pickle.NEWOBJ,
                  pickle.NEWOBJ_EX, pickle.DICT, pickle.NEXT_BUFFER,
                  pickle.READONLY_BUFFER):
        dispatch[_code[0]] = no_code

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.size = len(content)
        # Values that the file may unfold to. What is not shared has at least
        # one byte of its own.
        self.budget = 4 * self.size + 100_000

    def spend(self, count: int) -> None:
        """Count values, or bytes, before they are made."""
        self.budget -= count
        if self.budget < 0:
            raise _Refused(f'far more values than its {self.size:,} bytes '
                           'hold')

    def find_class(self, module: str, name: str) -> Any:
        make = _ALLOWED.get((re.sub(r'\bcore\b', '_core', module), name))
        if make is None:
            raise _Refused(f'{module}.{name}')
        return getattr(self, make)

    def no_call(self, *_: object) -> None:
        raise _Refused('an array of a size of its own')

    def no_bytes(self) -> bytes:
        return b''

    def dtype(self, name: str, *_: object) -> _DType:
        return _DType(name)

    def reconstruct(self, *_: object) -> _Array:
        return _Array()

    def scalar(self, dtype: _DType, content: bytes) -> np.generic:
        values = np.frombuffer(content, dtype.value)
        check_text(values)
        return values[0]

    def from_buffer(self, content: bytes, dtype: _DType,
                    shape: Tuple[int, ...], order: Any) -> _Array:
        return _Array().fill(content, dtype.value, shape, order)

    def encode(self, text: str, codec: str) -> bytes:
        """Bytes are stored as text; other codecs unfold what they get."""
        self.spend(len(text))
        if codec.replace('-', '') != 'latin1':
            raise _Refused(f'the codec {codec!r:.40}')
        return text.encode('latin1')

    def ordered_dict(self, pairs: Any = ()) -> Dict[Any, Any]:
        self.spend(len(pairs))
        return {_key(key): value for key, value in pairs}

    def tensor(self, storage: Any, offset: int, size: Tuple[int, ...],
               stride: Tuple[int, ...], *_: object) -> Tensor:
        flat = torch.empty(0, dtype=storage.dtype).set_(
            storage._untyped_storage)
        tensor = flat.as_strided(size, stride, offset)
        if tensor.numel() > flat.numel():
            raise _Refused(f'a tensor of {tuple(size)} with {flat.numel()} '
                           'values')
        return tensor

    def storage(self, content: bytes) -> object:
        """The values of a tensor: a pickle of their own, as IRN stores."""
        self.spend(len(content))
        stream = io.BytesIO(content)
        try:
            for _ in range(5):  # magic, version, system, storage, its name
                for _, value, _ in pickletools.genops(stream):
                    if (isinstance(value, int) and value != _TORCH_MAGIC
                            and value > max(len(content), _TORCH_VERSION)):
                        raise ValueError(f'{value} values')
            return torch.load(io.BytesIO(content), map_location='cpu',
                              weights_only=True)
        except Exception as error:  # a damaged one can raise nearly anything
            raise _Refused('code inside a tensor, or it is damaged '
                           f'({one_line(error)})') from error

    def load_build(self) -> None:
        state = self.stack.pop()
        self.stack[-1].set_state(state)
        self.spend(len(state[-1]) if isinstance(state[-1], list) else 0)

    def load_setitem(self) -> None:
        key, value = self.stack[-2:]
        del self.stack[-2:]
        self.stack[-1][_key(key)] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        content = self.stack[-1]
        for key, value in zip(items[::2], items[1::2]):
            content[_key(key)] = value

    def load_bytearray8(self) -> None:
        length, = struct.unpack('<Q', self.read(8))
        self.append(bytearray(self.read(min(length, self.size))))

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8

    def resolved(self, value: Any, depth: int = 0) -> Any:
        """A value with arrays in it, all of it counted."""
        self.spend(1)
        if depth > MOST_DEPTH:
            raise _Refused(f'containers over {MOST_DEPTH} deep')
        if isinstance(value, dict):
            return {key: self.resolved(one, depth + 1)
                    for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)([self.resolved(one, depth + 1)
                                for one in value])
        if isinstance(value, Tensor):
            self.spend(value.numel())
        elif isinstance(value, _Array):
            return self._resolved_array(value, depth)
        elif not isinstance(value, _PLAIN):
            raise _Refused(type(value).__name__)
        return value

    def _resolved_array(self, array: _Array, depth: int) -> np.ndarray:
        if array.value is None:
            raise _Refused('an array without values')
        self.spend(array.value.size)
        if not array.value.dtype.hasobject:
            return array.value
        result = np.empty(array.value.shape, dtype=object)
        for place in np.ndindex(result.shape):
            result[place] = self.resolved(array.value[place], depth + 1)
        return result


_PLAIN = (str, bytes, bytearray, int, float, type(None), np.generic)

# What numpy and PyTorch write for arrays, scalars, types and tensors, and
# what is done instead. numpy's module `core` is `_core` since its version 2.
_ALLOWED: Dict[Tuple[str, str], str] = {
    ('numpy', 'ndarray'): 'no_call',
    ('numpy', 'dtype'): 'dtype',
    ('numpy._core.multiarray', '_reconstruct'): 'reconstruct',
    ('numpy._core.multiarray', 'scalar'): 'scalar',
    ('numpy._core.numeric', '_frombuffer'): 'from_buffer',
    ('_codecs', 'encode'): 'encode',
    ('__builtin__', 'bytes'): 'no_bytes',
    ('collections', 'OrderedDict'): 'ordered_dict',
    ('torch._utils', '_rebuild_tensor_v2'): 'tensor',
    ('torch.storage', '_load_from_bytes'): 'storage',
}


def _key(key: Any) -> Any:
    """A key of a dict; the hash of tuples in tuples can take for ever."""
    if not isinstance(key, (str, bytes, int, float, np.generic)):
        raise _Refused(f'{type(key).__name__} as a key')
    return key


def load_npy_dict(path: str) -> dict:
    """Read a dict that was saved with ``np.save(path, {...})``.

    Args:
        path (str): A ``.npy`` file that holds one pickled dict.

    Returns:
        dict: The dict; arrays in it cannot be written to.

    Raises:
        DataError: If the file is not such a dict, asks for anything but
            arrays, tensors, dicts, lists, strings and numbers, or is larger
            than ``MOST_BYTES``, or deeper or larger inside than its own size
            allows.
    """
    try:
        size = os.path.getsize(path)
        if size > MOST_BYTES:
            raise DataError(f'{path}: {size:,} bytes, a .npy dict may have '
                            f'{MOST_BYTES:,}')
        with open(path, 'rb') as file:
            shape, _, dtype = read_npy_header(file)
            if not dtype.hasobject or shape != ():
                raise DataError(f'{path}: expected one pickled dict, got an '
                                f'array of type {dtype} and shape {shape}')
            unpickler = _ArrayUnpickler(file.read())
        content = unpickler.resolved(unpickler.load())
    except OSError as error:
        raise DataError(f'{path}: cannot be read ({error})') from error
    except _Refused as error:
        raise DataError(
            f'{path}: refused, its pickle asks for {one_line(error)}. Only '
            'numpy arrays, tensors, dicts and strings are read.') from error
    except DataError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataError(
            f'{path}: not a readable .npy dict ({type(error).__name__}: '
            f'{one_line(error)})') from error
    if isinstance(content, np.ndarray) and content.shape == ():
        content = content.item()
    if not isinstance(content, dict):
        raise DataError(f'{path}: expected a dict, got '
                        f'{type(content).__name__}')
    return content
