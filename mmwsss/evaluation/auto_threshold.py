"""A background threshold that no true mask is needed for."""
from typing import List, Optional, Sequence

import numpy as np
import torch
from torch import Tensor

from mmwsss.files.maps import MapFile, resized_maps
from mmwsss.files.photos import read_photo
from mmwsss.files.work_size import fit_photo, work_size
from mmwsss.ops import normalized_cuts

SIDE = 80  # pixels of the longer side; more changes the answer by little
LEAST, MOST = 0.05, 0.5  # of all pixels; objects take less than they leave
TOLERANCE = 0.03  # normalized cuts that differ by less are as good


class AutoThreshold:
    """The threshold at which maps part the colours of their photos best.

    Each threshold parts a photo into objects and background. Where this
    follows the photo, few pixels of similar colour are on different sides,
    which the normalized cut measures (:func:`normalized_cuts`). Its mean over
    the photos is least around the threshold that fits; the middle of all
    thresholds that are about as good is taken, as a single photo says little
    and some photos agree by chance. Thresholds at which objects take nearly
    nothing or most of the pixels are left out: there the cut is small because
    one side is.

    Only photos with labels count. Everything is worked out at 80 px, in
    milliseconds a photo.

    Args:
        thresholds (Sequence[float]): T rising thresholds to choose from.
        lenient (bool): Take photos that show signs of damage. Defaults to
            False.

    Example:
        >>> from mmwsss.evaluation import AutoThreshold
        >>> photo = np.zeros((8, 8, 3), np.uint8)
        >>> photo[:, 5:] = 250
        >>> maps = np.full((1, 8, 8), 0.2, np.float32)
        >>> maps[..., 3:], maps[..., 5:] = 0.4, 0.8
        >>> auto = AutoThreshold([0.1, 0.3, 0.6, 0.9])
        >>> auto.add(auto.evidence(photo, MapFile(np.array([0]), maps,
        ...                                       (8, 8))))
        >>> auto.choose()
        0.6
    """

    def __init__(self, thresholds: Sequence[float],
                 lenient: bool = False) -> None:
        self.grid: List[float] = list(thresholds)
        self.thresholds = torch.tensor(self.grid)
        self.lenient = lenient
        self.photos = 0
        self._total = torch.zeros(2, len(self.grid), dtype=torch.float64)

    def read(self, path: str, file: MapFile) -> Optional[Tensor]:
        """:meth:`evidence` of the photo in a file; None without a class."""
        if not len(file.maps):
            return None
        return self.evidence(read_photo(path, self.lenient), file)

    def evidence(self, photo: np.ndarray, file: MapFile) -> Tensor:
        """What a photo says of all thresholds.

        Args:
            photo (np.ndarray): RGB, uint8, (H, W, 3).
            file (MapFile): Its maps, of at least one class; of any size.

        Returns:
            Tensor: Normalized cut and share of the pixels that are objects,
            float64, (2, T).
        """
        size = work_size(photo.shape[:2], SIDE)
        small = np.array(fit_photo(photo, size))  # one that can be written to
        image = torch.from_numpy(small).permute(2, 0, 1) / 255
        scores = torch.from_numpy(resized_maps(file.maps, size)).amax(0)
        share = (scores.flatten() > self.thresholds[:, None]).double().mean(1)
        return torch.stack(
            [normalized_cuts(image, scores, self.thresholds), share])

    def add(self, evidence: Optional[Tensor]) -> None:
        """Count a photo's evidence; None is one without a class."""
        if evidence is not None:
            self._total += evidence
            self.photos += 1

    def choose(self) -> Optional[float]:
        """The threshold for the photos that were added.

        Returns:
            float, optional: One of the thresholds; None where no photo says
            anything, as no map has a value above any of them.
        """
        if not self.photos:
            return None
        # Rounded, as the last digits differ between machines.
        cut, share = (self._total / self.photos).round(decimals=5)
        if not share.any():
            return None
        outside = torch.maximum(LEAST - share, share - MOST).clamp(min=0)
        allowed = outside == outside.min()
        good = cut <= cut[allowed].min() + TOLERANCE
        chosen = (good & allowed).nonzero().flatten()
        return self.grid[int(chosen[0] + chosen[-1]) // 2]
