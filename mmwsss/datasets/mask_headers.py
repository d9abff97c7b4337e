"""Whether masks can belong to their photos, from the headers alone."""
from concurrent.futures import ThreadPoolExecutor
from typing import Optional, Sequence, Tuple

from PIL import Image

from mmwsss.problems import DataError, Problems

from .transforms.loading import photo_size

# Palette, grey and two-valued pictures: one index a pixel.
INDEX_MODES = ('P', 'L', '1')


def check_mask_headers(pairs: Sequence[Tuple[str, str]],
                       problems: Problems, num_threads: int = 4) -> None:
    """Note masks that are no index pictures or of another size.

    No pixel is read, so that a large data set takes seconds.

    Args:
        pairs (Sequence[tuple[str, str]]): Photo and mask, both there.
        problems (Problems): Where to note them.
        num_threads (int): Readers that work at the same time. Defaults to 4.
    """
    with ThreadPoolExecutor(num_threads) as pool:
        for line in pool.map(_mask_problem, pairs):
            if line is not None:
                problems.add(line)


def _mask_problem(pair: Tuple[str, str]) -> Optional[str]:
    photo, mask = pair
    try:
        with Image.open(mask) as image:
            mode, size = image.mode, image.size[::-1]
    except (OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        return f'{mask}: mask cannot be read ({error})'
    if mode not in INDEX_MODES:
        return (f'{mask}: a mask has one index a pixel, this is a picture of '
                f'mode {mode}; write it as a palette or grey PNG')
    try:
        expected = photo_size(photo)
    except DataError as error:
        return str(error)
    if size != expected:
        return (f'{mask}: {size[0]} x {size[1]}, but {photo} is '
                f'{expected[0]} x {expected[1]}')
    return None
