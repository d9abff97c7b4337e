import pytest

from mmwsss.apis import plan
from mmwsss.apis.plan_words import few, option_change, plan_text


@pytest.fixture
def text(tagged_folder, tmp_path):
    """A plan in words."""
    return plan_text(plan(*tagged_folder, str(tmp_path / 'run'),
                          weights='none', device='cpu', dry_run=True))


def test_the_plan_in_words(text):
    assert '24 photos, 3 of them held out; dog 16, person 16' in text
    assert 'time: about ' in text and 'disk: about ' in text
    assert all(len(line.splitlines()) == 1 for line in text.split('\n'))


def test_a_person_reads_no_names_of_variables(text):
    """Numbers have units, yes and no are words."""
    said = [line.split('  (')[0] for line in text.split('\n')
            if not line.startswith('look at this')]
    assert 'time: about 6.1 min' in said and 'disk: about 0.6 GB' in said
    assert 'mixed precision (AMP): no' in said
    assert 'weights to begin with: none' in said
    assert '1.8 min for learning from the tags, 3.9 min for learning to ' in (
        text)
    for line in said:
        assert '_' not in line, line
        assert not line.endswith(('True', 'False', 'None')), line


@pytest.mark.parametrize('name, before, now, words', [
    ('time_budget', 1800., 5400., '30.0 min before, 1.5 h now'),
    ('allow_empty', False, True, '--allow-empty: not given before, given'),
    ('affinity', False, True, '--no-affinity: given before, not given now'),
    ('val_share', 0.15, 0, '--val-share: 0.15 before, 0 now'),
    ('device', None, 'cpu', '--device: not given before, cpu now')])
def test_options_in_words(name, before, now, words):
    assert words in option_change(name, before, now)


@pytest.mark.parametrize('count, more', [(1, ''), (3, ''), (4, 'and 1 more'),
                                         (300, 'and 297 more')])
def test_few_of_many(count, more):
    text = few([f'{i}.jpg is new' for i in range(count)])
    assert text.count('is new') == min(count, 3) and text.endswith(
        more or 'is new')
