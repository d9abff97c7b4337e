"""Parts are found by their short names, others' by their scope."""
import subprocess
import sys

import pytest

from mmwsss.registry import (
    HOOKS,
    LABEL_SOURCES,
    METRICS,
    MODELS,
    REFINERS,
    TRANSFORMS,
    forget_pretrained,
)


@pytest.mark.parametrize('registry, name', [
    (MODELS, 'MMCT'), (TRANSFORMS, 'LoadPhoto'), (METRICS, 'MultiLabelMAP'),
    (HOOKS, 'LateLossesHook'), (LABEL_SOURCES, 'TableLabels'),
    (REFINERS, 'PAR'), (MODELS, 'mmseg.EncoderDecoder'),
    (MODELS, 'mmpretrain.VisionTransformer')])
def test_names_that_are_known(registry, name):
    assert registry.get(name).__name__ == name.split('.')[-1]


def test_weights_to_start_from_are_forgotten_at_every_depth():
    config = dict(pretrained='a.pth', backbone=dict(
        vit=dict(pretrained='b.pth', depth=3)), names=['pretrained'])
    forget_pretrained(config)
    assert config == dict(pretrained=None, backbone=dict(
        vit=dict(pretrained=None, depth=3)), names=['pretrained'])


def test_imports_print_no_notices():
    done = subprocess.run(
        [sys.executable, '-c', 'import mmwsss.datasets, mmwsss.models'],
        capture_output=True, text=True)
    assert done.returncode == 0
    assert 'OneDL' not in done.stdout
    assert 'MultiScaleDeformable' not in done.stderr
