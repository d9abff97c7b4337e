"""What a report is made of."""
import pytest

from mmwsss.visualization.report import Gallery, Table


def test_the_script_gets_what_it_reads():
    gallery = Gallery(['background', 'cat'], [[0, 0, 0], [9, 9, 9]], ['val'],
                      [dict(name='a')], {})
    assert gallery.data == dict(classes=['background', 'cat'],
                                palette=[[0, 0, 0], [9, 9, 9]],
                                photos=[dict(name='a')])


@pytest.mark.parametrize('columns, row, wide', [
    (['class', 'AP', 'IoU', 'precision', 'recall'], ['cat', *[1.] * 4],
     False),
    (['class', 'photos with it in the mask', 'labelled, but not in it',
      'median share'], ['cat', *[1.] * 3], True),
    (['setting', 'value', 'reason'], ['a', 'b', 'short'], False),
    (['setting', 'value', 'reason'], ['a', 'b', 'a reason of some length'],
     True),
    (['stage', 'time', 'state'], ['masks of the held-out photos', 'a', 'b'],
     True),
    (['', ''], ['cores', 'a processor with a long name'], False)])
def test_tables_without_room_on_a_phone_are_known(columns, row, wide):
    assert Table('a', columns, [row]).wide is wide
