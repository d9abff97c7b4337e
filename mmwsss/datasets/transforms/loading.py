"""Loading photos of every kind that people have."""
from typing import Optional

import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import BaseTransform

from mmwsss.files.photos import decode_photo, missing_photo
from mmwsss.files.work_size import fit_photo, work_size
from mmwsss.problems import DataError
from mmwsss.registry import TRANSFORMS

LOADERS = ['LoadPhoto', 'LoadImageFromFile']
"""Both are ours: mmseg's tools look for the second in a pipeline."""


@TRANSFORMS.register_module(name=LOADERS)
class LoadPhoto(BaseTransform):
    """Load an image file as 8-bit BGR, upright.

    Greyscale, palette, transparent (on white), CMYK and 16-bit files become
    BGR; the EXIF orientation is applied. A damaged file is an error that
    names it, never a half-grey image; what shows the damage of a JPEG is in
    :func:`mmwsss.files.jpeg_damage.jpeg_damage`.

    Required key: ``img_path``. Added keys: ``img`` (H, W, 3) uint8,
    ``img_shape``, ``ori_shape``.

    Args:
        max_side (int, optional): A photo whose longer side has more pixels is
            made smaller, and counts as a photo of that size in what follows.
            ``load_config`` sets it from ``max_side`` of a config. Defaults to
            None: photos keep their size.
        backend_args (dict, optional): See mmengine's ``fileio``. Defaults to
            None: local files.
        lenient (bool): Take photos that can be decoded though they show signs
            of damage. Defaults to False.
    """

    def __init__(self, max_side: Optional[int] = None,
                 backend_args: Optional[dict] = None,
                 lenient: bool = False) -> None:
        self.max_side = max_side
        self.backend_args = backend_args
        self.lenient = lenient

    def transform(self, results: dict) -> dict:
        """Load ``results['img_path']``."""
        path = results['img_path']
        try:
            content = fileio.get(path, backend_args=self.backend_args)
        except OSError as error:
            raise DataError(missing_photo(path, error)) from error
        rgb = decode_photo(content, path, self.lenient)
        rgb = fit_photo(rgb, work_size(rgb.shape[:2], self.max_side))
        results['img'] = np.ascontiguousarray(rgb[..., ::-1])
        results['img_shape'] = results['ori_shape'] = rgb.shape[:2]
        return results
