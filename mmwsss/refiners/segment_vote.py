"""A vote of segments without a class as a refiner of maps."""
import os.path as osp
from typing import Dict, Optional, Sequence

import torch
from torch import Tensor

from mmwsss.files.segments import (
    read_segments,
    require_segments,
    segments_digest,
)
from mmwsss.ops import segment_vote
from mmwsss.problems import DataError
from mmwsss.registry import REFINERS

from .base import BaseRefiner

ORDERS = ('none', 'published')
# The share of a map in what comes out; the rest is 1 where its class wins.
_KEPT = 0.45
_UNKNOWN = -1


@REFINERS.register_module()
class SegmentVote(BaseRefiner):
    """Maps that follow segments without a class, such as those of SAM.

    Chen et al., "Segment Anything Model (SAM) Enhanced Pseudo Labels for
    Weakly Supervised Semantic Segmentation", 2023; the two shares are its
    published code's, the rest of the rule does not depend on the order of the
    classes, see :func:`mmwsss.ops.segment_vote`.

    The mask that the maps stand for votes. A refined map is from 0.55 on
    where its class wins and at most 0.45 elsewhere, and follows the map
    before within both; 0.5 is the threshold of the mask after the vote.

    Args:
        segments (str): Folder of the segments, a file a photo, as
            ``tools/extract_segments.py`` writes them: ``.json`` of SAM's mask
            generator, or label ``.png``.
        background (float): Score of background before the vote, on the scale
            of the maps; the threshold at which the maps alone are best suits.
            Defaults to 0.4.
        majority (float): A class takes a segment if it has more than this
            share of it. Defaults to 0.5.
        coverage (float): Or if the segment has at least this share of the
            class. Defaults to 0.85.
        order (str): 'none', or 'published': classes take segments one after
            the other. Defaults to 'none'.
        device (str, optional): See :class:`BaseRefiner`.
    """

    def __init__(self,
                 segments: str,
                 background: float = 0.4,
                 majority: float = 0.5,
                 coverage: float = 0.85,
                 order: str = 'none',
                 device: Optional[str] = None) -> None:
        super().__init__(device)
        for name, share in (('background', background),
                            ('majority', majority), ('coverage', coverage)):
            if not 0 < share <= 1:
                raise ValueError(f'SegmentVote.{name}={share}: give a number '
                                 'above 0 and up to 1')
        if order not in ORDERS:
            raise ValueError(f'SegmentVote.order={order!r}: use one of '
                             f'{ORDERS}')
        self.segments = osp.expanduser(segments)
        self.background = background
        self.majority = majority
        self.coverage = coverage
        self.order = order

    def inputs(self) -> Dict[str, str]:
        """All segments in the folder, wherever it lies."""
        return dict(super().inputs(), segments=segments_digest(self.segments))

    def check_images(self, names: Sequence[str]) -> None:
        """There have to be segments of each."""
        require_segments(self.segments, names)

    def refine(self, image: Tensor, maps: Tensor, labels: Tensor) -> Tensor:
        """Refused: segments are found by the name of the image."""
        raise DataError('SegmentVote finds segments by the name of the image; '
                        'call it with name=')

    def refine_named(self, image: Tensor, maps: Tensor, labels: Tensor,
                     name: str) -> Tensor:
        """See :class:`BaseRefiner`; which classes they are does not matter."""
        found = read_segments(self.segments, name, maps.shape[-2:])
        voted = segment_vote(
            _voters(maps, self.background), found.to(maps.device), len(maps),
            self.majority, self.coverage, self.order)
        classes = torch.arange(1, len(maps) + 1, device=maps.device)
        won = voted == classes[:, None, None]
        won |= (voted == _UNKNOWN) & (maps > self.background)
        return torch.lerp(won.to(maps), maps, _KEPT)


def _voters(maps: Tensor, background: float) -> Tensor:
    """The mask that maps stand for: 0, 1..K, (H, W).

    Where the strongest classes are equal it is unknown, so that none of them
    goes before another.
    """
    strongest, winner = maps.max(0)
    mask = winner + 1
    mask[(maps == strongest).sum(0) > 1] = _UNKNOWN
    mask[strongest <= background] = 0
    return mask
