"""The chunks of a PNG: whether they are whole, and what comes late."""
import struct
import zlib
from typing import BinaryIO, Iterator, Optional, Tuple

# What may hold a photo's EXIF data.
_TEXT = (b'eXIf', b'tEXt', b'zTXt', b'iTXt')


def _chunks(file: BinaryIO) -> Iterator[Tuple[bytes, int]]:
    """Kind and length of each chunk; the file stands at its content."""
    file.seek(8)  # behind the signature
    while True:
        head = file.read(8)
        if len(head) < 8:
            raise EOFError('truncated: it does not end with IEND')
        length, kind = struct.unpack('>I4s', head)
        start = file.tell()
        yield kind, length
        if kind == b'IEND':
            return
        file.seek(start + length + 4)


def has_late_text(file: BinaryIO) -> bool:
    """Whether text or EXIF data stand behind the pixels of a PNG.

    Pillow decodes all pixels to come to them.

    Args:
        file (BinaryIO): The PNG.

    Raises:
        EOFError: If the file is truncated.
    """
    pixels = late = False
    for kind, _ in _chunks(file):
        pixels = pixels or kind == b'IDAT'
        late = late or (pixels and kind in _TEXT)
    return late


def png_damage(file: BinaryIO) -> Optional[str]:
    """What is wrong with the checksums of a PNG; Pillow skips those of pixels.

    Args:
        file (BinaryIO): The PNG.

    Returns:
        str, optional: The damage; None if every chunk is whole.
    """
    try:
        for kind, length in _chunks(file):
            content = file.read(length)
            checksum = file.read(4)
            if len(content) < length or len(checksum) < 4:
                return 'truncated'
            if zlib.crc32(content, zlib.crc32(kind)) != int.from_bytes(
                    checksum, 'big'):
                return f'wrong checksum of a {kind!r} chunk'
    except EOFError as error:
        return str(error)
    return None
