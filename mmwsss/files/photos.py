"""Photos of every kind that people have, upright and in RGB."""
import io
import os
import os.path as osp
import struct
import warnings
from functools import cache
from typing import BinaryIO, FrozenSet, List, Sequence, Tuple, Union

import numpy as np
from PIL import Image

from mmwsss.problems import DataError

from .jpeg_damage import jpeg_damage
from .jpeg_segments import has_many_scans
from .png_chunks import has_late_text, png_damage

# What Pillow opens but does not decode, or not without another program.
_NOT_DECODED = ('BUFR', 'EPS', 'GRIB', 'HDF5', 'MPEG', 'WMF')
_HEIC_SUFFIXES = ('.heic', '.heif', '.hif')
_HEIC_BRANDS = (b'heic', b'heix', b'hevc', b'heim', b'heis', b'mif1', b'msf1')
# How a photo with an EXIF orientation is turned upright; any other is upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90}
_ORIENTATION = 0x0112
# What Pillow's readers raise for files that are damaged.
_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, KeyError,
               IndexError, AttributeError, EOFError, OverflowError,
               NotImplementedError, RuntimeError, MemoryError, struct.error,
               Image.DecompressionBombError)
# A picture of one colour has some thousand pixels a byte, in PNG with one bit
# a pixel; no photo comes near. Small ones do no harm.
_LARGE, _PIXELS_A_BYTE = 1 << 24, 10_000
_SHOWN = 3  # files that are no photos, in words
# A JPEG's end marker stands in the last bytes, or before what cameras append.
_END_OF_IMAGE, _TAIL = b'\xff\xd9', 1 << 15


def image_name(path: str) -> str:
    """What an image is called: ``a/b/2007_000032.jpg`` -> ``2007_000032``."""
    return osp.splitext(osp.basename(path))[0]


@cache
def _formats() -> Tuple[str, ...]:
    """Names of the formats that are decoded here; HEIC with its plug-in."""
    try:
        import pillow_heif  # type: ignore[import-not-found]
        pillow_heif.register_heif_opener()
    except ImportError:
        pass
    Image.init()
    return tuple(name for name in Image.OPEN if name not in _NOT_DECODED)


@cache
def photo_suffixes() -> FrozenSet[str]:
    """Extensions of photos, in lower case: all that Pillow opens, and HEIC."""
    formats = _formats()
    return frozenset(suffix for suffix, name
                     in Image.registered_extensions().items()
                     if name in formats).union(_HEIC_SUFFIXES)


def find_photos(folder: str) -> Tuple[List[str], List[str]]:
    """Photos in a folder and its subfolders, and what is none.

    A file is a photo if its extension says so or if Pillow opens it. Hidden
    files are passed over.

    Args:
        folder (str): Where to look.

    Returns:
        tuple[list[str], list[str]]: Paths of the photos relative to the
        folder, in order, and a line for each other file, with the reason.
    """
    photos, others = [], []
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        if osp.realpath(place) in seen:  # a link back to where it came from
            folders.clear()
            continue
        seen.add(osp.realpath(place))
        folders[:] = [name for name in folders if not name.startswith('.')]
        for name in files:
            if name.startswith('.'):
                continue
            path = osp.join(place, name)
            shown = osp.relpath(path, folder)
            if not osp.exists(path):
                others.append(f'{shown} (broken link to '
                              f'{os.readlink(path)})' if osp.islink(path)
                              else f'{shown} (gone)')
            elif (osp.splitext(name)[1].lower() in photo_suffixes()
                  or _opens(path)):
                photos.append(shown)
            else:
                others.append(f'{shown} (not an image)')
    return sorted(photos), sorted(others)


def no_photos(folder: str, others: Sequence[str]) -> str:
    """Says that a folder holds no photo, and what it holds instead.

    Args:
        folder (str): The folder.
        others (Sequence[str]): From :func:`find_photos`.
    """
    if not others:
        return f'{folder}: holds no photo, it is empty; name another folder'
    more = len(others) - _SHOWN
    return (f'{folder}: holds no photo; any image that Pillow opens is one: '
            f'{", ".join(others[:_SHOWN])}'
            + (f' and {more} more' if more > 0 else ''))


def _opens(path: str) -> bool:
    """Whether a file of an unknown extension is an image."""
    try:
        with _open(path):
            return True
    except _UNREADABLE:
        return False


def _open(file: Union[str, BinaryIO]) -> Image.Image:
    return Image.open(file, formats=_formats())


def decode_photo(content: bytes, path: str,
                 lenient: bool = False) -> np.ndarray:
    """Bytes of an image file as an upright photo.

    Args:
        content (bytes): The file.
        path (str): Its name, for the error.
        lenient (bool): Take a photo of which Pillow decodes all pixels
            though it shows signs of damage, see
            :func:`~.jpeg_damage.jpeg_damage` and
            :func:`~.png_chunks.png_damage`. Defaults to False.

    Returns:
        np.ndarray: RGB, uint8, (H, W, 3).

    Raises:
        DataError: If it is damaged, not an image, or its values have no known
            scale.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd EXIF data, which does no harm here.
            warnings.simplefilter('ignore')
            with _open(io.BytesIO(content)) as image:
                _check_room(image, len(content), path)
                low_bits = _may_hold_low_bits(image)
                if image.format in ('JPEG', 'MPO') and has_many_scans(content):
                    raise DataError(f'{path}: a JPEG of over 100 scans, which '
                                    'takes long to decode; save it anew')
                image.load()
                rgb = _to_rgb(image, path)
                turn = _TURNS.get(_orientation(image))
                block = _jpeg_block(image)
                kind = image.format
    except DataError:
        raise
    except _UNREADABLE as error:
        raise DataError(_refusal(content[:32], path, error)) from error
    if low_bits and rgb.max(initial=0) < 64:
        raise DataError(
            f'{path}: 16-bit colours that use at most 14 bits; scale them to '
            '16, or save it with 8 bits a colour')
    damage = None
    if not lenient and kind in ('JPEG', 'MPO'):
        damage = jpeg_damage(content, rgb, block)
    elif not lenient and kind == 'PNG':
        damage = png_damage(io.BytesIO(content))
    if damage is not None:
        raise DataError(f'{path}: damaged ({damage}); replace it or leave it '
                        'out (LoadPhoto(lenient=True) and --lenient '
                        'accept it as it is)')
    if turn is None:
        return rgb
    return np.asarray(Image.fromarray(rgb).transpose(turn))


def _refusal(head: bytes, path: str, error: BaseException) -> str:
    """Why a file is not read, and what can be done."""
    if head[4:8] == b'ftyp' and head[8:12] in _HEIC_BRANDS and (
            'HEIF' not in _formats()):
        return (f'{path}: HEIC photos need the package pillow-heif (pip '
                'install pillow-heif); or save it as JPEG')
    remedy = ('replace it or leave it out; --lenient does not help, as it '
              'takes only photos of which all pixels can be decoded')
    if not isinstance(error, Image.UnidentifiedImageError):
        text = str(error) or type(error).__name__
        return f'{path}: damaged or not an image ({text}); {remedy}'
    text = 'of no kind that Pillow knows' if head else 'an empty file'
    return f'{path}: damaged, or it is not an image ({text}); {remedy}'


def _orientation(image: Image.Image, header_only: bool = False) -> int:
    """The EXIF orientation, 1..8; 1 where there is none that makes sense.

    With ``header_only`` no pixel is decoded to come to what is behind them.
    """
    try:
        # A PNG's own method decodes it.
        exif = (Image.Image.getexif(image) if header_only else
                image.getexif())
        value = exif.get(_ORIENTATION, 1)
        return int(value) if value in _TURNS else 1
    except _UNREADABLE:
        return 1


def _jpeg_block(image: Image.Image) -> Tuple[int, int]:
    """Height and width in pixels of a JPEG's units; 8 x 8 in others."""
    layers = getattr(image, 'layer', ())
    if len(layers) < 2:
        return 8, 8
    return (8 * max(layer[2] for layer in layers),
            8 * max(layer[1] for layer in layers))


def _check_room(image: Image.Image, size: int, path: str) -> None:
    """Raise for a large canvas with hardly anything on it.

    An animation may name a canvas of any size for a small picture; what it is
    decoded to does not follow from the bytes of the file.
    """
    pixels = image.width * image.height
    if pixels > _LARGE and pixels > _PIXELS_A_BYTE * size:
        raise DataError(
            f'{path}: {image.width} x {image.height} pixels in {size:,} bytes '
            'hold no photo; save what it shows at its own size')


def _may_hold_low_bits(image: Image.Image) -> bool:
    """Whether it has 16-bit colours, of which Pillow keeps the upper 8."""
    return len(image.getbands()) > 1 and any(
        ';16' in str(tile[3]) for tile in getattr(image, 'tile', ()))


def _to_rgb(image: Image.Image, path: str) -> np.ndarray:
    """Any loaded image -> uint8 RGB, (H, W, 3)."""
    if image.mode == 'F' or image.mode.startswith('I'):
        image = Image.fromarray(_to_8_bits(np.asarray(image), path))
    if 'A' in image.getbands() or 'transparency' in image.info:
        image = image.convert('RGBA')
        canvas = Image.new('RGBA', image.size, 'white')
        image = Image.alpha_composite(canvas, image)
    # Converting to the mode that it has would copy it.
    return np.asarray(image if image.mode == 'RGB' else image.convert('RGB'))


def _to_8_bits(values: np.ndarray, path: str) -> np.ndarray:
    """Grey values of any depth as uint8.

    Integers fill the smallest of 8, 10, 12, 14 and 16 bits that holds the
    largest of them; floats fill 0..1.
    """
    low, high = values.min(initial=0), values.max(initial=0)
    if values.dtype.kind == 'f':
        if not np.isfinite(values).all() or low < 0 or high > 1:
            raise DataError(
                f'{path}: float values from {low:g} to {high:g}, of which '
                'nothing says which is white; scale them to 0..1, or save it '
                'with 8 or 16 bits')
        return np.rint(values * 255).astype(np.uint8)
    if low < 0 or high > 65535:
        raise DataError(
            f'{path}: values from {low} to {high}, of which nothing says '
            'which is white; save it with 8 or 16 bits')
    bits = next(bits for bits in (8, 10, 12, 14, 16) if high < 1 << bits)
    return (values >> (bits - 8)).astype(np.uint8)


def read_photo(path: str, lenient: bool = False) -> np.ndarray:
    """A photo as upright RGB, uint8, (H, W, 3); see :func:`decode_photo`."""
    try:
        with open(path, 'rb') as file:
            content = file.read()
    except OSError as error:
        raise DataError(missing_photo(path, error)) from error
    return decode_photo(content, path, lenient)


def missing_photo(path: str, error: OSError) -> str:
    """What to say of a photo that cannot be opened.

    Args:
        path (str): The photo.
        error (OSError): What the system says.
    """
    return (f'{path}: cannot be opened ({error.strerror or error}); put the '
            'photo back or leave it out')


def photo_size(path: str, lenient: bool = False) -> Tuple[int, int]:
    """The size of a photo when upright; no pixel is decoded.

    Args:
        path (str): The image file.
        lenient (bool): Take a JPEG or PNG that ends early, if all pixels can
            be decoded, which is tried. Defaults to False.

    Returns:
        tuple[int, int]: Height and width in pixels.

    Raises:
        DataError: If the file is not an image, or ends early.
    """
    try:
        with open(path, 'rb') as file, warnings.catch_warnings():
            warnings.simplefilter('ignore')
            head = file.read(32)
            file.seek(0)
            try:
                return _header_size(file, lenient)
            except _UNREADABLE as error:
                raise DataError(_refusal(head, path, error)) from error
    except OSError as error:
        raise DataError(missing_photo(path, error)) from error


def _header_size(file: BinaryIO, lenient: bool) -> Tuple[int, int]:
    """Height and width when upright.

    Raises:
        EOFError: If the file ends early and that matters.
    """
    with _open(file) as image:
        width, height = image.size
        kind = image.format
        orientation = _orientation(image, header_only=True)
        if kind == 'PNG':
            if _late_text(file, lenient):
                with _open(file) as whole:
                    orientation = _orientation(whole)
        elif kind == 'TIFF':  # Pillow itself may turn it
            tags = image.tag_v2
            width, height = tags[256], tags[257]
            value = tags.get(_ORIENTATION)
            orientation = value if value in _TURNS else 1
        elif kind == 'JPEG' and not _has_end(file):
            if not lenient:
                raise EOFError('truncated: it has no end marker')
            _try_to_decode(file)
    return (width, height) if orientation >= 5 else (height, width)


def _late_text(file: BinaryIO, lenient: bool) -> bool:
    """Whether a PNG's EXIF data may stand behind its pixels."""
    try:
        return has_late_text(file)
    except EOFError:
        if not lenient:
            raise
        _try_to_decode(file)
        return False


def _try_to_decode(file: BinaryIO) -> None:
    """Raise what Pillow does if a file that ends early lacks pixels."""
    file.seek(0)
    with _open(file) as image:
        image.load()


def _has_end(file: BinaryIO) -> bool:
    """Whether a JPEG has an end marker anywhere, most likely at its end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    if _END_OF_IMAGE in file.read():
        return True
    file.seek(0)
    return _END_OF_IMAGE in file.read()
