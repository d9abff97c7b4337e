"""mmwsss: from image-level labels to masks to a segmentation network."""
from typing import List

from mmengine.utils import digit_version

from .version import __version__

#: Of each OpenMMLab package the first tested version, and the first above.
TESTED_VERSIONS = dict(
    mmengine=('0.10.7', '0.11.0'),
    mmcv=('2.1.0', '2.4.0'),
    mmseg=('1.2.2', '1.5.0'),
    mmpretrain=('1.2.0', '1.4.0'))


def untested_versions() -> List[str]:
    """The installed OpenMMLab packages outside the tested ranges."""
    import importlib
    untested = []
    for name, (lowest, above) in TESTED_VERSIONS.items():
        installed = importlib.import_module(name).__version__
        if not (digit_version(lowest) <= digit_version(installed) <
                digit_version(above)):
            untested.append(f'{name} {installed} (tested: {lowest} to below '
                            f'{above})')
    return untested


def _warn_of_untested_versions() -> None:
    import warnings
    untested = untested_versions()
    if untested:
        warnings.warn('mmwsss is not tested with ' + ', '.join(untested),
                      stacklevel=3)


_warn_of_untested_versions()

__all__ = ['TESTED_VERSIONS', '__version__', 'untested_versions']
