"""The test of a module is found by its name.

``mmwsss/ops/gwrp.py`` -> ``tests/test_ops/test_gwrp.py``.
"""
from pathlib import Path

from shapes import ROOT

SOURCE, TESTS = Path(ROOT, 'mmwsss'), Path(ROOT, 'tests')

# Modules without a test of their own, and why.
WITHOUT = {
    'version.py': 'a number',
}
# Tests of something larger than a module.
LARGER = {
    'test_configs.py', 'test_docstrings.py', 'test_mirror.py',
    'test_package.py', 'test_protocols.py',
    'test_models/test_segmentors/test_toco_digits.py',
}


def mirrored(module):
    """Where the test of a module lies: ``ops/gwrp.py`` and so on."""
    return '/'.join(f'test_{part}' for part in module.split('/'))


MODULES = {path.relative_to(SOURCE).as_posix()
           for path in SOURCE.rglob('*.py') if path.name != '__init__.py'
           and '.mim' not in path.parts}  # there a wheel has configs, tools
FILES = {path.relative_to(TESTS).as_posix()
         for path in TESTS.rglob('test_*.py')}


def test_every_module_has_a_test_of_its_name():
    missing = {module for module in MODULES - set(WITHOUT)
               if mirrored(module) not in FILES}
    assert missing == set(), 'write a test for each'


def test_every_test_has_a_module_of_its_name():
    lost = {file for file in FILES - set(map(mirrored, MODULES))
            if not file.startswith('test_end_to_end/')}
    assert lost - LARGER == set(), 'move each to the name of its module'
    assert LARGER - lost == set(), 'take these off LARGER'
