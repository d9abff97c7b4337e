"""The segments that a JPEG file consists of, and its tables."""
import io
import re
from functools import cache, lru_cache
from typing import Iterator, NamedTuple, Optional, Tuple

import numpy as np
from PIL import Image

DHT, EOI, SOS, DQT = 0xC4, 0xD9, 0xDA, 0xDB
_MARKER = re.compile(rb'\xff+[^\x00\xff\xd0-\xd7]')
# Numbers of a table that may be wrong bits, and how far off one has to be.
_FEW, _FAR = 4, 4
_MOST_SCANS = 100


class Segment(NamedTuple):
    """A segment: its marker, and where its contents lie in the file."""

    marker: int
    start: int
    end: int


def segments(content: bytes) -> Iterator[Segment]:
    """Segments of the first image of a file, to its end marker.

    Source: ITU-T T.81, annex B.

    Raises:
        LookupError: If it ends early.
    """
    place = 2
    while True:
        # Behind the start of a scan this passes over the scan's data.
        found = _MARKER.search(content, place)
        if found is None:
            raise LookupError('no end marker')
        marker, start = content[found.end() - 1], found.end() + 2
        if marker == EOI:
            yield Segment(marker, found.start(), found.start())
            return
        place = start - 2 + int.from_bytes(content[start - 2:start], 'big')
        yield Segment(marker, start, place)


def has_many_scans(content: bytes) -> bool:
    """Whether it has more than 100 scans, which may take seconds in all.

    Encoders write about ten; a few bytes make a decoder go through the whole
    photo once more.
    """
    try:
        count = sum(part.marker == SOS for part in segments(content))
    except LookupError:  # ends early: counted without its order
        count = content.count(bytes([0xFF, SOS]))
    return count > _MOST_SCANS


def without_last_byte(content: bytes) -> bytes:
    """A file whose data lack their last byte.

    Stuffed bytes of ones at the end, which may be padding, go as well.

    Raises:
        LookupError: If it has no end marker.
    """
    end = [part.start for part in segments(content)][-1]
    last = end
    while content.endswith(b'\xff\x00', 0, last):
        last -= 2
    return content[:last - 1] + content[end:]


def quantization_tables(
        content: bytes) -> Iterator[Tuple[int, int, np.ndarray]]:
    """Number, place in the file, and steps (64,) in the order of the file.

    The steps are of one byte each (uint8) or two (big-endian uint16).

    Raises:
        LookupError: If the file ends early.
    """
    for marker, place, end in segments(content):
        while marker == DQT and place < end:
            head = content[place]
            kind = np.dtype('>u2' if head >> 4 else 'u1')
            yield head & 15, place + 1, np.frombuffer(
                content, kind, 64, place + 1)
            place += 1 + 64 * kind.itemsize
        if marker == SOS:
            return


def _huffman_tables(content: bytes) -> Iterator[Tuple[int, bytes]]:
    """Class and number in a byte, and counts and symbols, before the data."""
    for marker, place, end in segments(content):
        while marker == DHT and place < end:
            size = 16 + sum(content[place + 1:place + 17])
            yield content[place], content[place + 1:place + 1 + size]
            place += 1 + size
        if marker == SOS:
            return


@cache
def _standard() -> Tuple[Tuple[np.ndarray, ...], Tuple[bytes, ...]]:
    """Quantization of each quality, (100, 64), and codes, from the encoder."""
    scaled, codes = [], []
    buffer = io.BytesIO()
    Image.new('RGB', (1, 1)).save(buffer, 'JPEG', quality=50)
    quality = np.arange(1, 101)[:, None]
    percent = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    for _, _, steps in quantization_tables(buffer.getvalue()):
        scaled.append(((steps * percent + 50) // 100).clip(1, 255))
    for number, table in _huffman_tables(buffer.getvalue()):
        if number >> 4:  # those of means are short, and alike in all files
            codes.append(table)
    return tuple(scaled), tuple(codes)


def altered_table(content: bytes) -> Optional[str]:
    """A table that is the standard's but for a few numbers.

    Most encoders write the tables of ITU-T T.81, annex K, those of the steps
    scaled by libjpeg's quality. No encoder makes up tables that differ in one
    number or four, by more than rounding.

    Args:
        content (bytes): A file that can be decoded.

    Returns:
        str, optional: The sign; None where there is none.
    """
    try:
        for _, _, steps in quantization_tables(content):
            if _has_altered_steps(tuple(steps.tolist())):
                return 'a wrong number in a quantization table'
        for number, table in _huffman_tables(content):
            if number >> 4 and _has_altered_codes(table):
                return 'a wrong number in a table of codes'
    except (LookupError, ValueError):
        pass
    return None


# Photos of one set mostly have the same tables.
@lru_cache(1 << 10)
def _has_altered_steps(steps: Tuple[int, ...]) -> bool:
    for standard in _standard()[0]:
        off = np.abs(standard - np.array(steps))
        if not off.any(1).all():
            return False
        if ((np.count_nonzero(off, 1) <= _FEW) & (off.max(1) >= _FAR)).any():
            return True
    return False


@lru_cache(1 << 10)
def _has_altered_codes(table: bytes) -> bool:
    return any(0 < sum(a != b for a, b in zip(table, standard)) <= _FEW
               for standard in _standard()[1] if len(table) == len(standard))
