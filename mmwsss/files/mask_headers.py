"""Whether masks can belong to their photos, from the headers alone."""
from concurrent.futures import ThreadPoolExecutor
from typing import Optional, Sequence, Tuple

from PIL import Image

from mmwsss.problems import Problems

from .masks import index_problem, unreadable_mask

# Photo, its mask, height and width of the photo.
MaskedPhoto = Tuple[str, str, Tuple[int, int]]


def check_mask_headers(photos: Sequence[MaskedPhoto],
                       problems: Problems, num_threads: int = 4) -> None:
    """Note masks that are no index pictures or of another size.

    No pixel is read, so that a large data set takes seconds.

    Args:
        photos (Sequence[MaskedPhoto]): Photos whose masks are there.
        problems (Problems): Where to note them.
        num_threads (int): Readers that work at the same time. Defaults to 4.
    """
    with ThreadPoolExecutor(num_threads) as pool:
        for line in pool.map(_mask_problem, photos):
            if line is not None:
                problems.add(line)


def _mask_problem(masked: MaskedPhoto) -> Optional[str]:
    photo, mask, expected = masked
    try:
        with Image.open(mask) as image:
            problem, size = index_problem(image), image.size[::-1]
    except (OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        return unreadable_mask(mask, error)
    if problem is not None:
        return f'{mask}: {problem}'
    if size != expected:
        return (f'{mask}: {size[0]} x {size[1]}, but {photo} is '
                f'{expected[0]} x {expected[1]}')
    return None
