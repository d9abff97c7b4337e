"""True masks of samples, checked before they are scored against."""
from typing import Any, Mapping, Sequence

from torch import Tensor

from mmwsss.files.masks import IGNORED, MaskClasses
from mmwsss.problems import DataError


def true_mask(sample: Mapping[str, Any], size: Sequence[int], count: int,
              ignored: int = IGNORED) -> Tensor:
    """The true mask of a sample, whichever data set and pipeline it is of.

    Args:
        sample (dict): With ``gt_sem_seg``.
        size (Sequence[int]): Height and width of what is scored.
        count (int): Classes, background included.
        ignored (int): The value of unknown pixels. Defaults to 255.

    Returns:
        Tensor: int64, (H, W): 0..count-1 or ``ignored``.

    Raises:
        DataError: If there is none, it has another size, or a value is no
            class.
    """
    photo = sample.get('img_path', 'a sample')
    if 'gt_sem_seg' not in sample:
        raise DataError(f'{photo}: no mask to score against; set '
                        'test_evaluator.format_only=True to predict only')
    truth: Tensor = sample['gt_sem_seg']['data'].squeeze(0).long()
    name = sample.get('seg_map_path') or f'mask of {photo}'
    if tuple(truth.shape) != tuple(size):
        raise DataError(
            f'{name}: {" x ".join(map(str, truth.shape))}, but {photo} is '
            f'{" x ".join(map(str, size))}')
    known = truth[truth != ignored]
    if len(known) and not 0 <= known.min() <= known.max() < count:
        MaskClasses(count).of(known.cpu().numpy().astype('uint8'), name)
        truth = truth.masked_fill(truth == IGNORED, ignored)
    return truth
