"""Drawings inside a page."""
from xml.etree import ElementTree

import pytest

from mmwsss.visualization.report import bars, curves

EVIL = '<script>alert(1)</script> & "$\\frac'


@pytest.mark.parametrize('chart', [
    curves(EVIL, [0, 1, 2], {EVIL: [1., None, 3.], 'b': [2., 2., 2.]}, EVIL,
           'score', mark=1.),
    curves('one', [1], {'a': [2.]}, 'x', 'y'),
    curves('none', [], {'a': []}, 'x', 'y'),
    bars(EVIL, {EVIL: 20., 'empty': None}, EVIL)])
def test_a_drawing_is_one_element_with_names_as_text(chart):
    root = ElementTree.fromstring(chart.svg)
    assert root.tag.endswith('svg')
    assert not [one for one in root.iter() if one.tag.endswith('script')]
    # Letters have the colour of the page's text, which may be light.
    assert 'currentColor' in chart.svg and '#010203' not in chart.svg
    assert not any('href' in name and not value.startswith('#')
                   for one in root.iter() for name, value
                   in one.attrib.items())
    assert chart.caption in chart.table.caption


def test_names_are_in_the_drawing_and_numbers_in_the_table():
    chart = curves('a', [0, 1], {EVIL: [1., None]}, 'x', 'y')
    texts = ' '.join(ElementTree.fromstring(chart.svg).itertext())
    assert EVIL in texts
    assert chart.table.columns == ['x', EVIL]
    assert chart.table.rows == [(0, 1.), (1, None)]
    chart = bars('a', {'cat': 12.34, 'dog': None}, 'IoU')
    assert '12.3' in ' '.join(ElementTree.fromstring(chart.svg).itertext())
    assert chart.table.rows == [('cat', 12.34), ('dog', None)]


def test_drawings_of_a_page_do_not_share_names():
    def names(chart):
        return {one.attrib['id'] for one in ElementTree.fromstring(
            chart.svg).iter() if 'id' in one.attrib}

    one, other = (curves(name, [0, 1], {'a': [0., 1.]}, 'x', 'y')
                  for name in ('one', 'other'))
    assert names(one) and not names(one) & names(other)
