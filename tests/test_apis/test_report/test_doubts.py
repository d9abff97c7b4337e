"""Labels that photos contradict."""
import pytest
from PIL import Image

from mmwsss.apis.report.doubts import MOST, doubt_pictures


@pytest.mark.parametrize('tagged, says', [
    (True, 'dog: labelled, but the network does not see it'),
    (False, 'dog: not labelled, but the network sees it')])
def test_each_has_a_picture_and_says_what_is_doubtful(tmp_path, tagged, says):
    path = str(tmp_path / 'a.png')
    Image.new('RGB', (40, 30), 'green').save(path)
    row = {'image': 'b/a.png', 'path': path, 'class': 'dog', 'tagged': tagged,
           'probability': 0.25, 'doubt': 0.5}
    [(uri, alt, lines)] = doubt_pictures([row])
    assert uri.startswith('data:image/webp')
    assert alt == 'b/a.png, is there dog on it?'
    assert lines == ['a.png', says, 'probability 25 %']


def test_a_photo_that_is_gone_has_no_picture_and_the_list_is_short():
    shown = doubt_pictures([dict(image='a', path='/no', tagged=True)] * 100)
    assert len(shown) == MOST and shown[0][0] == ''


def test_a_photo_that_was_moved_is_shown_from_where_it_lies_now(tmp_path):
    place = str(tmp_path / 'a.png')
    Image.new('RGB', (40, 30), 'green').save(place)
    rows = [dict(image=name, path='/no/a.png', tagged=True)
            for name in ('b/a.png', 'other')]
    shown = doubt_pictures(rows, dict(a=place))
    assert [uri != '' for uri, _, _ in shown] == [True, False]
