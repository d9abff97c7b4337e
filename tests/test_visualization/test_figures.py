"""The layout of the papers' figures."""
import io

import numpy as np
import pytest
from PIL import Image

from mmwsss.visualization.figures import FORMATS, draw_figure

CELL = ('cat 50 %', np.full((20, 30, 3), 200, np.uint8))


@pytest.mark.parametrize('kind', FORMATS)
def test_a_figure_is_written(tmp_path, kind):
    path = tmp_path / f'figure.{kind}'
    draw_figure(str(path), ['input', 'mask'], [[CELL, CELL], [CELL]],
                [('cat', (200, 0, 0))])
    content = path.read_bytes()
    if kind == 'pdf':
        assert content.startswith(b'%PDF') and content.rstrip().endswith(
            b'%%EOF')
    else:
        with Image.open(io.BytesIO(content)) as image:
            assert image.width == 1400


def test_the_legend_has_the_colours_and_names_are_no_formulas(tmp_path):
    path = str(tmp_path / 'figure.png')
    draw_figure(path, [r'$\frac'], [[(r'$x_{', CELL[1])]],
                [(r'$\alpha', (13, 200, 77)), ('b', (77, 13, 200))])
    with Image.open(path) as image:
        colours = {one for _, one in image.convert('RGB').getcolors(1 << 24)}
    assert {(13, 200, 77), (77, 13, 200)} <= colours
