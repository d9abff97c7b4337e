"""Versions of the OpenMMLab packages."""
import subprocess
import sys

import pytest

import mmwsss
from mmwsss.versions import warn_of_untested_versions


def test_installed_versions_are_tested_ones():
    assert mmwsss.untested_versions() == []


def test_untested_version_is_named(monkeypatch):
    monkeypatch.setitem(mmwsss.TESTED_VERSIONS, 'mmseg', ('0.1', '0.2'))
    [line] = mmwsss.untested_versions()
    assert line.startswith('mmseg 1.') and '0.1 to below 0.2' in line


def test_the_warning_names_the_package(monkeypatch):
    monkeypatch.setitem(mmwsss.TESTED_VERSIONS, 'mmcv', ('0.1', '0.2'))
    with pytest.warns(UserWarning, match='not tested with mmcv'):
        warn_of_untested_versions()


def test_rooms_are_there_without_an_import_of_their_own():
    assert callable(mmwsss.ops.gwrp)
    assert mmwsss.registry.SCORERS.get('PixelLocalization') is not None
    assert mmwsss.refiners.PAR and mmwsss.evaluation.BaseScorer


def test_nothing_is_imported_before_it_is_used():
    """``import mmwsss`` and a tool's ``--help`` do not wait for torch."""
    code = ('import sys, mmwsss, mmwsss.apis, mmwsss.preparation, '
            'mmwsss.conversion; print([name for name in ("torch", "mmseg", '
            '"mmengine", "mmcv") if name in sys.modules], '
            'mmwsss.__version__)')
    shown = subprocess.run([sys.executable, '-c', code], check=True,
                           capture_output=True, text=True).stdout
    assert shown == f'[] {mmwsss.__version__}\n'
