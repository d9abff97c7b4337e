"""The command mmwsss."""
import argparse
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from tagged_photos import make_tagged_photos

from mmwsss.__main__ import duration, main


@pytest.mark.parametrize('text, seconds', [
    ('90s', 90), ('30m', 1800), ('2h', 7200), ('1h30m', 5400), ('0.5h', 1800)])
def test_durations(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize('text', ['', '30', 'm', '30x', '30m!', '-5m'])
def test_no_durations(text):
    with pytest.raises(argparse.ArgumentTypeError, match='give a time'):
        duration(text)


def test_help_comes_before_any_network_is_imported():
    code = ('import sys; sys.argv = ["mmwsss", "fit", "--help"]\n'
            'from mmwsss.__main__ import main\n'
            'try:\n    main()\n'
            'finally:\n    assert "torch" not in sys.modules')
    run = subprocess.run([sys.executable, '-c', code], capture_output=True,
                         text=True)
    assert run.returncode == 0, run.stderr
    assert '--time-budget' in run.stdout


@pytest.mark.parametrize('command', ['plan', 'fit'])
def test_options_reach_the_plan(command, monkeypatch):
    seen = {}
    name = dict(plan='show_plan', fit='fit')[command]
    monkeypatch.setattr(f'mmwsss.apis.{name}', lambda *args, **kwargs:
                        seen.update(kwargs, args=args), raising=False)
    main([command, 'photos', 'labels.csv', '--work-dir', 'run',
          '--time-budget', '30m', '--no-affinity', '--dry-run', '--device',
          'cpu', '--weights', 'none', '--threshold', '0.3', '--val-share',
          '0.2', '--allow-empty', '--lenient', '--replan', '--verbose'])
    if command == 'fit':
        assert seen.pop('overwrite') is False
    assert seen == dict(
        args=('photos', 'labels.csv'), work_dir='run', time_budget=1800.,
        affinity=False, ask_affinity=False, lenient=True, dry_run=True,
        device='cpu', weights='none', threshold=0.3, val_share=0.2,
        allow_empty=True, replan=True, verbose=True)


def test_an_automatic_threshold_may_be_asked_for(monkeypatch, capsys):
    seen = {}
    monkeypatch.setattr('mmwsss.apis.fit', lambda *args, **kwargs:
                        seen.update(kwargs), raising=False)
    main(['fit', 'photos', 'labels.csv', '--threshold', 'auto'])
    assert seen['threshold'] == 'auto'
    with pytest.raises(SystemExit):
        main(['fit', 'photos', 'labels.csv', '--threshold', 'x'])
    assert 'give a number, or auto' in capsys.readouterr().err


def test_mistakes_are_one_line(tmp_path, capsys):
    photos, labels = make_tagged_photos(tmp_path / 'project', count=3)
    with pytest.raises(SystemExit) as stop:
        main(['fit', photos, labels, '--work-dir', str(tmp_path / 'run'),
              '--device', 'tpu'])
    assert str(stop.value).startswith('error: --device tpu')
    with pytest.raises(SystemExit) as stop:
        main(['predict', str(tmp_path), photos, '--out', str(tmp_path / 'o')])
    assert 'no trained network' in str(stop.value)
    with pytest.raises(SystemExit) as stop:
        main(['fit', photos])
    assert stop.value.code == 2
    assert 'required: labels' in capsys.readouterr().err


def test_the_command_is_installed():
    scripts = entry_points(group='console_scripts')
    if 'mmwsss' not in {script.name for script in scripts}:
        pytest.skip('installed before there was the command: install again '
                    "with pip install -e '.[demo,tests]'")
    assert scripts['mmwsss'].value == 'mmwsss.__main__:main'
    assert scripts['mmwsss'].load().__name__ == 'main'
