"""Photos in whatever form a person has them."""
import io
import os
import os.path as osp
import urllib.request
from functools import partial
from typing import Any, Callable, Iterator, List, NamedTuple, Sequence, Union

import numpy as np
from PIL import Image, ImageOps

from mmwsss.files.photos import (
    decode_photo,
    find_photos,
    no_photos,
    read_photo,
)
from mmwsss.problems import DataError, one_line

PhotoInput = Union[str, os.PathLike, np.ndarray, Image.Image]
LARGEST_DOWNLOAD = 100 << 20
"""Bytes of a photo behind a URL; more is refused."""
_SECONDS = 30


class NamedPhoto(NamedTuple):
    """A photo that is read when it is wanted.

    Attributes:
        name (str): Its file's name without extension, or its number.
        read (Callable): Gives it as upright RGB, uint8, (H, W, 3); raises
            DataError.
    """
    name: str
    read: Callable[[], np.ndarray]


def photo_inputs(inputs: Union[PhotoInput, Sequence[PhotoInput]],
                 lenient: bool = False) -> List[NamedPhoto]:
    """Names of photos, and how to read each.

    Args:
        inputs: A path, a URL, a folder, an RGB array (H, W, 3) or a grey one
            (H, W) of uint8, a PIL image, or a list of any of these.
        lenient (bool): Take photos that can be decoded though they show signs
            of damage. Defaults to False.

    Raises:
        DataError: If there is no such file, no photo at all, or something
            else than a photo. Photos that cannot be read raise when they are.
    """
    given: Sequence[Any] = (inputs if isinstance(inputs, (list, tuple))
                            else [inputs])
    photos = [photo for index, one in enumerate(given)
              for photo in _named(one, index, lenient)]
    if not photos:
        raise DataError('no photo given; give a path, a folder, an array or '
                        'a list of them')
    return photos


def _named(one: Any, index: int, lenient: bool) -> Iterator[NamedPhoto]:
    if isinstance(one, np.ndarray):
        yield NamedPhoto(str(index), partial(_array, one, index))
    elif isinstance(one, Image.Image):
        name = getattr(one, 'filename', '')
        yield NamedPhoto(_stem(name) or str(index), partial(_image, one))
    elif isinstance(one, (str, os.PathLike)):
        path = osp.expanduser(os.fspath(one))
        if path.startswith(('http://', 'https://')):
            yield NamedPhoto(_stem(path.split('?')[0]) or str(index),
                             partial(_download, path, lenient))
        elif osp.isdir(path):
            names, others = find_photos(path)
            if not names:
                raise DataError(no_photos(path, others))
            for name in names:
                yield NamedPhoto(_stem(name), partial(
                    read_photo, osp.join(path, name), lenient))
        else:
            yield NamedPhoto(_stem(path), partial(read_photo, path, lenient))
    else:
        raise DataError(f'photo {index}: a {type(one).__name__} is no photo; '
                        'give a path, a URL, an array or a PIL image')


def _stem(path: str) -> str:
    return osp.splitext(osp.basename(path))[0]


def _array(photo: np.ndarray, index: int) -> np.ndarray:
    if photo.dtype != np.uint8 or photo.ndim not in (2, 3) or (
            photo.ndim == 3 and photo.shape[2] != 3) or not photo.size:
        raise DataError(
            f'photo {index}: an array of {photo.dtype} and shape '
            f'{photo.shape}; give RGB values 0..255 as uint8, (H, W, 3)')
    if photo.ndim == 2:
        photo = np.repeat(photo[..., None], 3, axis=2)
    return np.ascontiguousarray(photo)


def _image(image: Image.Image) -> np.ndarray:
    # Through a file, so that every mode is read in one way.
    buffer = io.BytesIO()
    upright = ImageOps.exif_transpose(image)
    try:
        upright.save(buffer, 'PNG')
    except OSError:  # CMYK, HSV, ... are no PNG
        upright.convert('RGB').save(buffer, 'PNG')
    return decode_photo(buffer.getvalue(), 'the image')


def _download(address: str, lenient: bool) -> np.ndarray:
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
            content = answer.read(LARGEST_DOWNLOAD + 1)
    except (OSError, ValueError) as error:
        raise DataError(f'{address}: cannot be fetched ({one_line(error)}); '
                        'fetch it by hand and give the file') from error
    if len(content) > LARGEST_DOWNLOAD:
        raise DataError(f'{address}: larger than {LARGEST_DOWNLOAD >> 20} MB; '
                        'fetch it by hand and make it smaller')
    return decode_photo(content, address, lenient)
