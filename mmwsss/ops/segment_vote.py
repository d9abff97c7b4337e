"""Segments without a class vote, with a mask, on which class they are."""
from typing import Callable, Dict, NamedTuple

import torch
from torch import Tensor


class Segments(NamedTuple):
    """S segments of an image as pairs of a segment and one of its pixels.

    They may overlap and leave pixels out; no array of S masks is made.

    Attributes:
        owners (Tensor): The segment of each pair, 0..S-1, int64, (P, ).
        pixels (Tensor): Its pixel, row * W + column, int64, (P, ). No pair
            stands there twice.
        number (int): S.
    """
    owners: Tensor
    pixels: Tensor
    number: int

    @classmethod
    def of_labels(cls, labels: Tensor) -> 'Segments':
        """Segments that do not overlap.

        Args:
            labels (Tensor): 1..S, and 0 where there is no segment, integer,
                (H, W).
        """
        flat = labels.flatten().long()
        pixels = flat.nonzero()[:, 0]
        return cls(flat[pixels] - 1, pixels, int(flat.max()))

    @classmethod
    def of_masks(cls, masks: Tensor) -> 'Segments':
        """Segments that may overlap.

        Args:
            masks (Tensor): Not 0 in the segment, (S, H, W).
        """
        owners, pixels = masks.flatten(1).nonzero(as_tuple=True)
        return cls(owners, pixels, len(masks))

    def to(self, device: torch.device) -> 'Segments':
        """The same on a device."""
        return Segments(self.owners.to(device), self.pixels.to(device),
                        self.number)


class _Votes(NamedTuple):
    """What the segments say of the classes.

    Attributes:
        counts (Tensor): Pixels of each class in each segment, (S, K).
        areas (Tensor): Pixels of the segments, (S, ).
        sizes (Tensor): Pixels of the classes, (K, ).
        passed (Tensor): Whether a class may claim a segment, (S, K).
    """
    counts: Tensor
    areas: Tensor
    sizes: Tensor
    passed: Tensor


def segment_vote(mask: Tensor,
                 segments: Segments,
                 num_classes: int,
                 majority: float = 0.5,
                 coverage: float = 0.85,
                 order: str = 'none') -> Tensor:
    r"""A mask that follows segments.

    A class claims a segment if it has more than ``majority`` of the
    segment's pixels, or if at least ``coverage`` of the pixels of the class
    are in the segment. All counts are one table of segments and classes.

    With ``order='none'`` no class goes before another: exchanging classes in
    the mask exchanges them in the result.

    * A segment goes to the class that has most pixels in it, of those that
      claim it; of equal ones to the class that is smaller in the whole mask,
      which has more of itself there. If these are equal, too, to none.
    * A pixel becomes the class of its segment; of several segments with a
      class, that of which its class has the largest share, then the smallest
      one. If that leaves two classes, the pixel stays as it is.
    * A pixel whose segments all went to no class becomes background, and one
      that lies in no segment stays as it is.

    With ``order='published'``, the rule of SAM_WSSS's code: classes claim in
    rising order, and a segment is gone for later ones; at a pixel of several
    classes the last one stands; a pixel keeps its class where all of its
    segments went to earlier classes; and unknown pixels become background
    unless a class takes them.

    Source: Chen et al., "Segment Anything Model (SAM) Enhanced Pseudo Labels
    for Weakly Supervised Semantic Segmentation", 2023, and its code.

    Args:
        mask (Tensor): 0 background, 1..K, anything else unknown, integer,
            (H, W).
        segments (Segments): Of the mask's pixels.
        num_classes (int): K, background not included.
        majority (float): Share of a segment that has to be exceeded. Defaults
            to 0.5.
        coverage (float): Share of a class that is enough. Defaults to 0.85.
        order (str): 'none' or 'published'.

    Returns:
        Tensor: int64, (H, W).

    Example:
        >>> mask = torch.tensor([[1, 1, 1, 0, 0, 2]])
        >>> parts = Segments.of_labels(torch.tensor([[1, 1, 1, 1, 2, 2]]))
        >>> segment_vote(mask, parts, 2)
        tensor([[1, 1, 1, 1, 2, 2]])
        >>> segment_vote(mask, parts, 2, coverage=1.1)
        tensor([[1, 1, 1, 1, 0, 0]])
    """
    flat = mask.flatten().long()
    # Background and unknown pixels count in the area of a segment alone.
    columns = flat.masked_fill((flat < 0) | (flat > num_classes), 0)
    width = num_classes + 1
    table = (segments.owners * width + columns[segments.pixels]).bincount(
        minlength=segments.number * width).view(segments.number, width)
    counts, areas = table[:, 1:], table.sum(1)
    sizes = columns.bincount(minlength=width)[1:]
    passed = (counts > 0) & (
        (counts.double() / areas[:, None] > majority)
        | (counts.double() / sizes >= coverage))
    votes = _Votes(counts, areas, sizes, passed)
    return _ORDERS[order](flat, segments, votes).view(mask.shape)


def _without_order(flat: Tensor, segments: Segments, votes: _Votes) -> Tensor:
    """See :func:`segment_vote`, order='none'."""
    owners, pixels = segments.owners, segments.pixels
    takers = _largest_claims(votes)
    ranks = _ranks(takers, votes)[owners]
    best = _reduced(torch.zeros_like(flat), pixels, ranks, 'amax')
    winning = (ranks > 0) & (ranks == best[pixels])
    pixels, takers = pixels[winning], takers[owners[winning]]
    result = _reduced(torch.zeros_like(flat), pixels, takers, 'amax')
    lowest = _reduced(result, pixels, takers, 'amin')
    stays = torch.ones_like(flat, dtype=torch.bool)
    stays[segments.pixels] = False
    return torch.where(stays | (lowest != result), flat, result)


def _largest_claims(votes: _Votes) -> Tensor:
    """The class 1..K that each segment goes to, 0 for none, (S, )."""
    contenders = votes.passed
    for claims in (votes.counts, -votes.sizes.expand_as(votes.counts)):
        lowest = torch.iinfo(claims.dtype).min
        claims = claims.masked_fill(~contenders, lowest)
        contenders = contenders & (claims == claims.amax(1, keepdim=True))
    classes = torch.arange(1, contenders.shape[1] + 1,
                           device=contenders.device)
    return (contenders * classes).sum(1) * (contenders.sum(1) == 1)


def _ranks(takers: Tensor, votes: _Votes) -> Tensor:
    """Which segment goes before which at a pixel, from 1 on, (S, ).

    Equal ones have one rank; 0 is for segments without a class.
    """
    counts = votes.counts.gather(1, (takers - 1).clamp(min=0)[:, None])[:, 0]
    areas = votes.areas.clamp(min=1).double()
    keys = torch.stack([counts / areas, -areas])
    # Sorted by the share, then by the area.
    ranks = torch.unique(keys, dim=1, return_inverse=True)[1]
    return (ranks + 1) * (takers > 0)


def _published(flat: Tensor, segments: Segments, votes: _Votes) -> Tensor:
    """See :func:`segment_vote`, order='published'."""
    count = votes.passed.shape[1]
    falling = torch.arange(count, 0, -1, device=flat.device)
    first = (votes.passed * falling).amax(1)  # (S, )
    takers = torch.where(first > 0, count + 1 - first, 0)[segments.owners]
    last = _reduced(torch.zeros_like(flat), segments.pixels, takers, 'amax')
    # Segments that a class found when it was its turn cover its pixels.
    free_until = _reduced(
        torch.zeros_like(flat), segments.pixels,
        torch.where(takers > 0, takers, count + 1), 'amax')
    known = (flat > 0) & (flat <= count)
    return torch.where(known & (free_until < flat), flat, last)


def _reduced(start: Tensor, pixels: Tensor, values: Tensor,
             how: str) -> Tensor:
    """``start`` with the largest or smallest value of each pixel's pairs."""
    return start.scatter_reduce(0, pixels, values, how)


_ORDERS: Dict[str, Callable[[Tensor, Segments, _Votes], Tensor]] = dict(
    none=_without_order, published=_published)
