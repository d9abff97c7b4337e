"""The page of a report."""
import re
from html.parser import HTMLParser

import pytest

from mmwsss.visualization.report import (
    Code,
    Gallery,
    Matrix,
    Pictures,
    Report,
    Section,
    Table,
    Text,
    curves,
    page,
)
from mmwsss.visualization.report.page import page_digest

EVIL = '</script><script>alert(1)</script><img src=x onerror=alert(1)>\'"'


class Reader(HTMLParser):
    """Counts elements and keeps the text outside of scripts."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.addresses = [], '', []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs
                           if name in ('src', 'href')]
        assert not any(name.startswith('on') for name, _ in attrs)

    def handle_data(self, data):
        self.text += data


def everything(name, digest='abc'):
    gallery = Gallery(['background', name], [[0, 0, 0], [9, 9, 9]], [name],
                      [dict(name=name, photo=None, truth=None, maps=[],
                            labels=[1], doubt=None, masks=[None])],
                      {name: name}, name)
    blocks = [Text(name), Table(name, [name, 'b'], [[name, 2.5], [1, None]]),
              Matrix(name, [name, 'x'], [[50., 50.], [None, 0.01]]),
              Code(name, name), Pictures([('', name, [name])]),
              curves(name, [0, 1], {name: [0., 1.]}, name, name)]
    return Report(name, [(name, name)],
                  [Section(name, blocks), Section(name, blocks, True)],
                  [gallery], digest)


def test_names_are_text_wherever_they_stand():
    reader, plain = Reader(), Reader()
    reader.feed(page(everything(EVIL)))
    plain.feed(page(everything('plain')))
    assert reader.tags == plain.tags
    assert reader.text.count(EVIL) >= 20


def test_a_page_asks_nothing_of_a_network():
    text = page(everything('a'))
    reader = Reader()
    reader.feed(text)
    assert all(one.startswith(('#', 'data:')) for one in reader.addresses)
    assert "default-src 'none'" in text
    assert not re.search(r'url\((?!["\']?#)|@import|fetch\(', text)


@pytest.mark.parametrize('opening', [0, 1])
def test_the_gallery_opens_on_one_of_its_parts(opening):
    report = everything('a')
    report.galleries[0].parts = ['one', 'two']
    report.galleries[0].opening = opening
    assert re.findall(r'<option[^>]* selected>(\w+)<', page(report)) == [
        ('one', 'two')[opening]]


def test_numbers_are_short_and_what_is_unknown_is_a_dash():
    text = page(everything('a'))
    assert 'class="number" data-heading="b">2.5</td>' in text
    assert 'class="number" data-heading="b">–</td>' in text
    assert '>50.0</td>' in text and '>0</td>' in text


@pytest.mark.parametrize('content', [b'', b'<html></html>', b'\xff\xfe'])
def test_the_digest_is_found_again(tmp_path, content):
    path = tmp_path / 'a.html'
    assert page_digest(str(path)) is None
    path.write_bytes(content)
    assert page_digest(str(path)) is None
    path.write_text(page(everything('a', 'c0ffee')))
    assert page_digest(str(path)) == 'c0ffee'
