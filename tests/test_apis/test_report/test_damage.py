"""What is said of files of a run that cannot be read."""
import pytest

from mmwsss.apis.report.damage import Damage
from mmwsss.files.json_files import write_json


@pytest.mark.parametrize('plan, command', [
    (None, 'the command that made it'),
    ('{', 'mmwsss fit PHOTOS LABELS --work-dir '),
    ('{"request": {"photos": "/a b", "labels": "/l.csv"}}',
     "mmwsss fit '/a b' /l.csv --work-dir ")])
def test_the_command_is_the_users(tmp_path, plan, command):
    if plan is not None:
        (tmp_path / 'plan.json').write_text(plan)
    (tmp_path / 'stage').mkdir()
    for folder in (tmp_path, tmp_path / 'stage'):
        damage = Damage(str(folder))
        assert damage.command.startswith(command)
        assert f'remove the folder {folder} and run' in damage.again(
            str(folder))


@pytest.mark.parametrize('content', [[1], 'text', dict(settings=[1])])
def test_json_of_another_form_counts_as_absent(tmp_path, content):
    path = str(tmp_path / 'stage.json')
    damage = Damage(str(tmp_path))
    assert damage.object(path) == {} and damage.lines.shown() == []
    write_json(path, content)
    assert damage.object(path, 'mend it') == {}
    [line] = damage.lines.shown()
    assert path in line and line.endswith('; mend it')
