"""Figures of numbers."""
import numpy as np
from PIL import Image

from mmwsss.visualization.curves import draw_curves, draw_threshold_curve


def test_a_figure_is_written_whole(tmp_path):
    path = tmp_path / 'new' / 'curve.png'
    draw_threshold_curve(str(path), [0.1, 0.2, 0.3],
                         {'all classes': [10., 30., 20.]}, chosen=0.2)
    with Image.open(path) as image:
        assert image.size == (600, 400)
        grey = np.asarray(image.convert('L'))
    assert grey.min() < 100 and grey[0, 0] == 255
    assert [p.name for p in path.parent.iterdir()] == ['curve.png']


def test_marks_and_names_on_the_axis_change_the_figure(tmp_path):
    pictures = []
    for x, marks in (([1, 2], None), ([1, 2], {'here': 1.5}),
                     (['a', 'b'], None)):
        draw_curves(str(tmp_path / 'a.png'), x, {'line': [1., 2.]},
                    dict(xlabel='x', ylabel='y'), marks, marker='o')
        pictures.append((tmp_path / 'a.png').read_bytes())
    assert len(set(pictures)) == 3
