"""Lists of images, as the field's tools write them, and what they name."""
import os.path as osp
import unicodedata
from dataclasses import dataclass
from typing import Iterator, List, Tuple

from mmwsss.problems import DataError, Problems

from .text_files import read_lines

# What a name in a list or table may end with without being another name.
PICTURE_EXTENSIONS = frozenset(
    '.avif .bmp .dib .gif .heic .heif .jfif .jp2 .jpe .jpeg .jpg .pbm .pgm '
    '.png .pnm .ppm .tga .tif .tiff .webp'.split())


@dataclass(frozen=True)
class ListedImage:
    """A line of a list.

    Attributes:
        line (int): Its number, from 1.
        text (str): The line without the spaces around it.
        photo (str): The photo that it names: the first column where there
            are two, with / between folders.
    """
    line: int
    text: str
    photo: str

    @property
    def name(self) -> str:
        """Without folder and extension."""
        return listed_name(self.photo)


def listed_name(name: str) -> str:
    r"""What a list or table calls an image, as it is compared.

    Without folder (of / or \) and without the extension of a picture: the dot
    of '2008.07' begins none. Accents are composed (NFC), as macOS stores them
    apart (NFD).

    Args:
        name (str): E.g. 'JPEGImages/2007_000032.jpg' or '2007_000032'.
    """
    stem, extension = osp.splitext(file_name(name))
    return stem if extension.lower() in PICTURE_EXTENSIONS else (
        stem + extension)


def file_name(path: str) -> str:
    r"""The last part of a path with / or \, accents composed (NFC)."""
    return unicodedata.normalize(
        'NFC', path.replace('\\', '/').rsplit('/', 1)[-1])


def read_image_list(path: str) -> List[ListedImage]:
    """Read a list of images, one a line.

    Names may have a folder and an extension. Empty lines do not count. PSA's
    two columns, ``/JPEGImages/x.jpg /SegmentationClassAug/x.png``, are read,
    too: the mask of a photo has its name here, so only the first says more.

    Args:
        path (str): The text file; see :func:`read_text` for its encoding.

    Returns:
        list[ListedImage]: The lines that are not empty.

    Raises:
        DataError: If it cannot be read, or a mask has another name than its
            photo, with every such line.
    """
    images = []
    problems = Problems(path)
    for number, line in enumerate(read_lines(path), start=1):
        # Files with a byte order mark that were joined have it inside.
        text = line.strip().strip('\ufeff').strip()
        if not text:
            continue
        columns = text.split()
        if len(columns) != 2 or not all(map(_is_picture, columns)):
            columns = [text]
        image = ListedImage(number, text, columns[0].replace('\\', '/'))
        if image.name != listed_name(columns[-1]):
            problems.add(f'line {number}: {text!r} has a mask of another name '
                         'than its photo; give them one name, and list the '
                         'photo alone')
        images.append(image)
    problems.raise_if_any()
    return images


def _is_picture(name: str) -> bool:
    return osp.splitext(name)[1].lower() in PICTURE_EXTENSIONS


def image_ids(path: str, problems: Problems) -> List[str]:
    """The image ids of a list, such as VOC's ``train.txt``.

    Args:
        path (str): The list; PSA's with ``/JPEGImages/`` before the id and
            ``.jpg`` behind it are ids, too.
        problems (Problems): Where to note what is no id.
    """
    try:
        images = read_image_list(path)
    except DataError as error:
        problems.add(str(error))
        return []
    ids = []
    for image in images:
        folder = image.photo.rpartition('/')[0]
        if folder not in ('', '/JPEGImages', 'JPEGImages') or (
                len(image.photo.split()) > 1 or image.name in ('.', '..')):
            problems.add(f'{path} line {image.line}: {image.text!r} is not an '
                         'image id; one a line is expected')
        ids.append(image.name)
    return ids


def find_listed(image: ListedImage, folder: str,
                suffix: str) -> Tuple[str, str]:
    """The file that a line of a list names.

    Args:
        image (ListedImage): The line.
        folder (str): Where the photos are. Folders in the list start there,
            or above it: in ``.../JPEGImages`` the photo
            ``/JPEGImages/x.jpg`` is ``x.jpg``.
        suffix (str): What a name without extension ends with, e.g. '.jpg'.

    Returns:
        tuple[str, str]: Its path, and its name below ``folder`` without
        suffix or extension. Where there is no such file, the path is the one
        that was to be expected.
    """
    tried = []
    for name in _below(image, folder):
        for file, stem in ((name + suffix, name),
                           (name, _without(name, suffix))):
            path = existing_form(folder, file)
            if osp.isfile(path):
                return path, stem
            tried.append((path, stem))
    # With the extension that it has, else with the usual one.
    return tried[1] if _is_picture(image.photo) else tried[0]


def _below(image: ListedImage, folder: str) -> Iterator[str]:
    """What the line may mean inside of ``folder``, the likeliest first."""
    yield image.photo
    if image.text != image.photo:
        yield image.text
    parts = image.photo.strip('/').split('/')
    above = osp.abspath(folder).split(osp.sep)
    for count in range(1, len(parts)):
        if above[-count:] == parts[:count]:
            yield '/'.join(parts[count:])


def _without(name: str, suffix: str) -> str:
    if suffix and name.endswith(suffix):
        return name[:-len(suffix)]
    return osp.splitext(name)[0]


def existing_form(folder: str, name: str) -> str:
    """The path of a file whose accents may be stored in another form.

    Args:
        folder (str): Where it is.
        name (str): Its name there.

    Returns:
        str: The path with the name as it is, composed (NFC) or decomposed
        (NFD), whichever is there; as it is if none is.
    """
    path = osp.join(folder, name)
    if name.isascii() or osp.exists(path):
        return path
    for form in ('NFC', 'NFD'):
        other = osp.join(folder, unicodedata.normalize(form, name))
        if osp.exists(other):
            return other
    return path
