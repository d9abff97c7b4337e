"""Masks whose background threshold is not known yet, kept small."""
import tempfile
import zlib
from dataclasses import dataclass
from typing import IO, Iterator, List, Sequence, Tuple

import numpy as np

from .atomic import unwritten
from .maps import MapFile, strongest_class


@dataclass(frozen=True)
class MaskDraft:
    """The masks of an image at each of T thresholds, in one.

    Attributes:
        name (str): The image's id.
        size (tuple[int, int]): Height and width.
        content (bytes): Two layers of uint8, compressed by zlib: which class
            wins (0 where there is none), and how many thresholds its value is
            above.
    """
    name: str
    size: Tuple[int, int]
    content: bytes

    @classmethod
    def of(cls, name: str, file: MapFile,
           thresholds: Sequence[float]) -> 'MaskDraft':
        """The draft of an image's maps.

        Args:
            name (str): The image's id.
            file (MapFile): Its maps.
            thresholds (Sequence[float]): T < 255 rising thresholds.
        """
        layers = np.zeros((2, *file.maps.shape[1:]), dtype=np.uint8)
        if len(file.maps):
            score, winner = strongest_class(file.maps)
            layers[0] = (file.labels + 1).astype(np.uint8)[winner]
            grid = np.asarray(thresholds, dtype=np.float32)
            # Row by row: searchsorted, which counts the thresholds below a
            # value, does so in 64 bits.
            for row, values in zip(layers[1], score):
                row[:] = np.searchsorted(grid, values)
        return cls(name, file.maps.shape[1:],
                   zlib.compress(layers.tobytes(), level=1))

    def mask(self, place: int) -> np.ndarray:
        """The mask at the threshold of a place in the list, uint8 (H, W).

        It is :func:`mmwsss.files.maps.map_to_mask`'s.
        """
        winner, above = np.frombuffer(
            zlib.decompress(self.content), np.uint8).reshape(2, *self.size)
        return np.where(above > place, winner, np.uint8(0))


class MaskDrafts:
    """Drafts of many images, in a file without a name that ends with this.

    A draft takes a few kilobytes; those of a large data set would still fill
    the memory.

    Args:
        folder (str): Where there is room for the file.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)
        self._entries: List[Tuple[str, Tuple[int, int], int]] = []

    def __enter__(self) -> 'MaskDrafts':
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, draft: MaskDraft) -> None:
        """Keep a draft.

        Raises:
            DataError: If there is no room for it.
        """
        try:
            self._file.write(draft.content)
            self._file.flush()
        except OSError as error:
            raise unwritten(self._folder, error) from error
        self._entries.append((draft.name, draft.size, len(draft.content)))

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[MaskDraft]:
        """The drafts in the order in which they came."""
        self._file.seek(0)
        for name, size, length in self._entries:
            yield MaskDraft(name, size, self._file.read(length))
