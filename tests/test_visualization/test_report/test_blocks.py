"""What a report is made of."""
import pytest

from mmwsss.visualization.report import Gallery, Table


def test_the_script_gets_what_it_reads():
    gallery = Gallery(['background', 'cat'], [[0, 0, 0], [9, 9, 9]], ['val'],
                      [dict(name='a')], {})
    assert gallery.data == dict(classes=['background', 'cat'],
                                palette=[[0, 0, 0], [9, 9, 9]],
                                photos=[dict(name='a')])


@pytest.mark.parametrize('columns, cell, wide', [
    (3, 'a reason of some length', True), (3, 'short', False),
    (2, 'a processor with a long name', False), (5, 1., True)])
def test_tables_without_room_on_a_phone_are_known(columns, cell, wide):
    table = Table('a', ['b'] * columns, [['c', *[cell] * (columns - 1)]])
    assert table.wide is wide
