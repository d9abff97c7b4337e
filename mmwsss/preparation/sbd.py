"""The Semantic Boundaries Dataset (SBD), which adds masks to PASCAL VOC."""
import os.path as osp
from typing import Dict

import numpy as np
from scipy.io import loadmat

from mmwsss.files.image_lists import image_ids
from mmwsss.problems import DataError, Problems


def sbd_masks(folder: str) -> Dict[str, str]:
    """Paths of SBD's masks by image id.

    Args:
        folder (str): The unpacked ``benchmark_RELEASE``, its ``dataset``, or
            the folder that holds it.

    Returns:
        dict[str, str]: ``cls/<id>.mat`` of all ids in ``train.txt`` and
        ``val.txt``, whether it is there or not.

    Raises:
        DataError: If a list is missing or not one of image ids.
    """
    for inside in ('', 'dataset', 'benchmark_RELEASE/dataset'):
        root = osp.join(folder, inside)
        if osp.isdir(osp.join(root, 'cls')):
            break
    else:
        raise DataError(f'{folder}: no SBD, there is no benchmark_RELEASE/'
                        'dataset/cls in it; give the folder that SBD was '
                        'unpacked to')
    problems = Problems(f'SBD in {root}')
    paths: Dict[str, str] = {}
    for split in ('train', 'val'):
        path = osp.join(root, f'{split}.txt')
        if not osp.isfile(path):
            problems.add(f'no list {path}')
            continue
        for name in image_ids(path, problems):
            paths[name] = osp.join(root, 'cls', f'{name}.mat')
    problems.raise_if_any()
    return paths


def read_sbd_mask(path: str) -> np.ndarray:
    """The mask in one of SBD's ``cls/*.mat``.

    Args:
        path (str): The file.

    Returns:
        np.ndarray: The class of each pixel, 0 for background, uint8, (H, W).

    Raises:
        DataError: If the file is missing, damaged or of another kind.
    """
    if not osp.isfile(path):
        raise DataError(f'{path} is missing')
    try:
        content = loadmat(path, variable_names=['GTcls'])
        mask = np.asarray(content['GTcls']['Segmentation'][0, 0])
        if mask.ndim != 2 or mask.dtype != np.uint8:
            raise ValueError(f'{mask.dtype} of shape {mask.shape}')
    except Exception as error:  # a damaged file can raise nearly anything
        raise DataError(f'{path}: no GTcls.Segmentation of SBD can be read '
                        f'({type(error).__name__}: {error}); unpack SBD '
                        'again') from error
    return mask
