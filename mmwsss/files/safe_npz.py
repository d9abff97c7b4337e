"""Reading ``.npz`` files of known arrays: headers first, nothing pickled."""
import io
import os
import zipfile
from typing import IO, Dict, List, Mapping, Tuple

import numpy as np
from numpy.lib import format as npy_format

from mmwsss.problems import one_line

# Bytes that the arrays asked for may take in memory. A file that is larger
# itself, uncompressed, may have arrays of its own size.
MOST_BYTES = 2**30
# Of a ``.npy`` header, whose length stands in the file; numpy's own limit.
_MOST_HEADER_BYTES = 10_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

# The kinds of numpy's types, see ``np.dtype.kind``.
NUMBERS, INTEGERS, FLOATS, TEXT = 'iuf', 'iu', 'f', 'U'


def read_npz(path: str, kinds: Mapping[str, str],
             optional: Mapping[str, str] = {},  # noqa: B006 - never changed
             most_bytes: int = MOST_BYTES) -> Dict[str, np.ndarray]:
    """Arrays of an ``.npz``, none read before all are known to be harmless.

    Args:
        path (str): The file.
        kinds (Mapping[str, str]): Name of an array -> the kinds of type that
            it may have, such as ``NUMBERS``. Others in the file are not read.
        optional (Mapping[str, str]): As ``kinds``, of arrays that may be
            missing. Defaults to none.
        most_bytes (int): What the arrays may take together; a larger file may
            have arrays of its own size. Defaults to 1 GiB.

    Returns:
        dict[str, np.ndarray]: By name.

    Raises:
        ValueError: In one line without the file's name, if it is missing,
            damaged or too large, or an array is missing or of another kind.
    """
    try:
        size = os.path.getsize(path)
        with zipfile.ZipFile(path) as file:
            found = set(file.namelist())
            wanted = dict(kinds, **{
                name: kind for name, kind in optional.items()
                if f'{name}.npy' in found})
            total = sum(_checked_bytes(file, name, kind)
                        for name, kind in wanted.items())
            if total > max(most_bytes, size):
                raise ValueError(
                    f'its arrays would take {total:,} bytes, the limit is '
                    f'{most_bytes:,}')
            return {name: _read_array(file, name) for name in wanted}
    except Exception as error:  # a damaged file can raise nearly anything
        raise ValueError(one_line(error)) from error


def read_embeddings(path: str, kinds: Mapping[str, str] = {},  # noqa: B006
                    ) -> Tuple[List[str], np.ndarray, Dict[str, np.ndarray]]:
    """Named vectors, as the files of text and image embeddings have them.

    Args:
        path (str): ``.npz`` with ``names`` (N,) and ``embeddings`` (N, E).
        kinds (Mapping[str, str]): Further arrays, see :func:`read_npz`.
            Defaults to none.

    Returns:
        tuple: The names, the vectors as float32, the further arrays by name.

    Raises:
        ValueError: In one line without the file's name, if it is missing,
            damaged or too large, or does not hold one vector of finite
            numbers, not all of them 0, for each name.
    """
    arrays = read_npz(path, dict(kinds, names=TEXT, embeddings=NUMBERS))
    names: List[str] = arrays.pop('names').reshape(-1).tolist()
    with np.errstate(over='ignore'):
        vectors = arrays.pop('embeddings').astype(np.float32)
    if (vectors.ndim != 2 or len(vectors) != len(names)
            or not vectors.shape[1]):
        raise ValueError(
            f'expected one vector for each of its {len(names)} names, got '
            f'shape {vectors.shape}')
    for name, vector in zip(names, vectors):
        if not np.isfinite(vector).all() or not vector.any():
            what = ('only zeros' if not vector.any() else
                    'numbers that are not finite')
            raise ValueError(f'the vector of {name!r} holds {what}')
    return names, vectors, arrays


def _checked_bytes(file: zipfile.ZipFile, name: str, kinds: str) -> int:
    """The bytes of an array, from its header, which fits what is stored."""
    try:
        member = file.getinfo(f'{name}.npy')
    except KeyError:
        raise ValueError(f'no array {name!r} in it') from None
    if member.compress_type not in _METHODS:
        raise ValueError(f'{name}: an unusual compression')
    with file.open(member) as stream:
        shape, _, dtype = read_npy_header(stream)
        start = stream.tell()
    if dtype.kind not in kinds or dtype.names or dtype.itemsize == 0:
        raise ValueError(f'{name}: values of type {dtype}')
    # Of a shape that is damaged, numpy would reserve what it says.
    length = dtype.itemsize
    for side in shape:
        length *= side
    if min(shape, default=0) < 0 or start + length != member.file_size:
        raise ValueError(f'{name}: shape {shape} of {dtype} does not fit the '
                         f'{member.file_size:,} bytes stored')
    return length


def _read_array(file: zipfile.ZipFile, name: str) -> np.ndarray:
    with file.open(f'{name}.npy') as stream:
        array = npy_format.read_array(stream, allow_pickle=False)
    check_text(array)
    return array


def check_text(array: np.ndarray) -> None:
    """Raise ValueError if numbers in an array of text are no characters.

    Python itself fails where such a text is made.
    """
    if array.dtype.kind == 'U' and array.size:
        codes = np.frombuffer(array.tobytes(), np.dtype(np.uint32)
                              .newbyteorder(array.dtype.byteorder))
        if codes.max() > 0x10ffff:
            raise ValueError('a text with numbers that are no characters')


def read_npy_header(stream: IO[bytes]
                    ) -> Tuple[Tuple[int, ...], bool, np.dtype]:
    """What stands before the values of a ``.npy``.

    numpy first reads as many bytes as the header says it has, up to 4 GiB;
    here they are counted first.

    Args:
        stream (IO): Open at its beginning; left behind the header.

    Returns:
        tuple: Shape, whether the first index runs fastest, and type.

    Raises:
        ValueError: If it is none.
    """
    begin = stream.read(8)
    if begin[:6] != npy_format.MAGIC_PREFIX or len(begin) < 8:
        raise ValueError('no .npy array')
    width = {1: 2, 2: 4, 3: 4}.get(begin[6], 0)
    size = stream.read(width)
    length = int.from_bytes(size, 'little')
    if not 0 < length <= _MOST_HEADER_BYTES:
        raise ValueError(f'a .npy header of {length:,} bytes')
    text = stream.read(length)
    if len(text) < length:
        raise ValueError('it ends in a .npy header')
    return _parse_header(begin[6], size + text)


def _parse_header(version: int, content: bytes
                  ) -> Tuple[Tuple[int, ...], bool, np.dtype]:
    parse = (npy_format.read_array_header_1_0 if version == 1 else
             npy_format.read_array_header_2_0)
    try:
        shape, fortran, dtype = parse(io.BytesIO(content))
    except Exception as error:  # it is parsed as Python; texts vary
        raise ValueError('a damaged .npy header') from error
    if not all(type(side) is int for side in shape):
        raise ValueError(f'a shape {shape}')
    return shape, fortran, dtype
