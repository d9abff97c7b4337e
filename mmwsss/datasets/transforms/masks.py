"""Loading masks, with every value checked."""
from typing import Optional

import mmengine.fileio as fileio
from mmseg.datasets.transforms import LoadAnnotations

from mmwsss.files.masks import MaskClasses, decode_mask
from mmwsss.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadMask(LoadAnnotations):
    """mmseg's ``LoadAnnotations`` through the project's reader of masks.

    A picture that is no mask, or a value that is no class, is an error that
    names the file. Mmseg's own takes all that has pixels, and cuts values off
    at 8 bits.

    Required keys: ``seg_map_path``, ``label_map``, ``reduce_zero_label`` and,
    where values are to be checked, ``num_classes``, which the project's data
    sets give. Added key: ``gt_seg_map`` uint8 (H, W).

    Args:
        backend_args (dict, optional): See mmengine's ``fileio``. Defaults to
            None: local files.
    """

    def __init__(self, backend_args: Optional[dict] = None) -> None:
        super().__init__(backend_args=backend_args)

    def _load_seg_map(self, results: dict) -> None:
        path = results['seg_map_path']
        content = fileio.get(path, backend_args=self.backend_args)
        count = results.get('num_classes')
        classes = MaskClasses(255 if count is None else count,
                              results.get('label_map'),
                              results.get('reduce_zero_label') or False)
        results['gt_seg_map'] = decode_mask(content, path, classes)
        results['seg_fields'].append('gt_seg_map')


@TRANSFORMS.register_module()
class LoadMaskIfAny(LoadMask):
    """:class:`LoadMask` that lets photos without a mask pass.

    One test pipeline serves data sets with masks, which are scored, and bare
    photos, which are only segmented.

    Args:
        **kwargs: See :class:`LoadMask`.
    """

    def transform(self, results: dict) -> Optional[dict]:
        """Load ``results['seg_map_path']`` if the photo has one."""
        if results.get('seg_map_path') is None:
            return results
        return super().transform(results)
