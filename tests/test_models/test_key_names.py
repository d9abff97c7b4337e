"""Names of weights in two codes."""
import pytest

from mmwsss.models.key_names import (
    VIT_NAMES,
    backwards,
    find,
    rename,
    within,
)

TABLE = (('a.*.b.', 'x.*.y.'), ('a.*_*.c', 'z.*.*'), ('only', 'only'))


@pytest.mark.parametrize('theirs, ours', [
    ('a.3.b.weight', 'x.3.y.weight'), ('a.3.b.d.bias', 'x.3.y.d.bias'),
    ('a.3_b2.c', 'z.3.b2'), ('only', 'only')])
def test_there_and_back(theirs, ours):
    assert rename(theirs, TABLE) == ours
    assert rename(ours, backwards(TABLE)) == theirs


@pytest.mark.parametrize('name', [
    'a.3.b', 'a.3.4.b.weight', 'a.3_4.c.more', 'only.one', 'Xonly', ''])
def test_names_that_are_not_in_the_table(name):
    assert rename(name, TABLE) is None and find(name, TABLE) is None


def test_the_first_pair_counts():
    table = (('a.b.', 'left.'), ('a.', 'right.'))
    assert rename('a.b.c', table) == 'left.c'
    assert rename('a.c', table) == 'right.c'
    assert find('a.b.c', table) == 'left.'


def test_an_empty_name_stands_for_all():
    assert rename('a.b', (('', 'backbone.'), )) == 'backbone.a.b'
    assert rename('net.norm.bias', within(VIT_NAMES, 'net.', 'backbone.')
                  ) == 'backbone.ln1.bias'
