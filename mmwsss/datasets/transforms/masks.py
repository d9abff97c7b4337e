"""Masks where there are any."""
from typing import Any, Optional

from mmseg.datasets.transforms import LoadAnnotations

from mmwsss.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadMaskIfAny(LoadAnnotations):
    """mmseg's ``LoadAnnotations`` that lets photos without a mask pass.

    One test pipeline serves data sets with masks, which are scored, and bare
    photos, which are only segmented.

    Args:
        imdecode_backend (str): Defaults to 'pillow', which keeps the indices
            of palette PNGs.
        **kwargs: See mmseg's ``LoadAnnotations``.
    """

    def __init__(self, imdecode_backend: str = 'pillow',
                 **kwargs: Any) -> None:
        super().__init__(imdecode_backend=imdecode_backend, **kwargs)

    def transform(self, results: dict) -> Optional[dict]:
        """Load ``results['seg_map_path']`` if the photo has one."""
        if results.get('seg_map_path') is None:
            return results
        return super().transform(results)
