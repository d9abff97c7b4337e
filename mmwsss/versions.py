"""Which versions of the OpenMMLab packages mmwsss is tested with."""
import importlib
import warnings
from typing import List

#: Tested ranges of the OpenMMLab packages: at least, below.
TESTED_VERSIONS = dict(
    mmengine=('0.10.7', '0.11.0'),
    mmcv=('2.1.0', '2.4.0'),
    mmseg=('1.2.2', '1.5.0'),
    mmpretrain=('1.2.0', '1.4.0'))


def untested_versions() -> List[str]:
    """The installed OpenMMLab packages outside the tested ranges."""
    from mmengine.utils import digit_version
    untested = []
    for name, (lowest, above) in TESTED_VERSIONS.items():
        installed = importlib.import_module(name).__version__
        if not (digit_version(lowest) <= digit_version(installed) <
                digit_version(above)):
            untested.append(f'{name} {installed} (tested: {lowest} to below '
                            f'{above})')
    return untested


def warn_of_untested_versions() -> None:
    """Warn once, when the packages are first used."""
    untested = untested_versions()
    if untested:
        warnings.warn('mmwsss is not tested with ' + ', '.join(untested),
                      stacklevel=3)
