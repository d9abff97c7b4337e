"""What to say of a photo that is named but not there."""
import os.path as osp
import re
import reprlib

from .image_lists import PICTURE_EXTENSIONS

_LONG = reprlib.Repr()
_LONG.maxstring = 200


def no_photo(path: str) -> str:
    """That there is no such photo, and what was perhaps meant.

    It looks at the disk some dozen times: make the line only if it is shown.

    Args:
        path (str): Where the photo was expected.
    """
    shown = path if len(path) <= 1000 else _LONG.repr(path)
    return f'no image {shown} ({_reason(path)})'


def _reason(path: str) -> str:
    if osp.islink(path):
        return 'broken link'
    if osp.exists(path):
        return 'is no file'
    stem, extension = osp.splitext(path)
    for other in sorted(PICTURE_EXTENSIONS):
        for form in (other, other.upper()):
            if form != extension and osp.isfile(stem + form):
                return (f'there is {osp.basename(stem + form)!r}: name it so, '
                        f'or set img_suffix={form!r} of the data set')
    name = osp.basename(stem)
    if re.search(r'''["'`,;:#\s\u200b-\u200f\u2028\u2029]''', name):
        return ('write one name a line, without quotes, commas, headings or '
                'further columns')
    return 'put it there or take it off the list'
