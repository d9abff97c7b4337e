import os
import os.path as osp
import shutil
import signal

import pytest
from tagged_photos import make_tagged_photos, make_tiny

from mmwsss.apis import fit, plan
from mmwsss.apis.run_progress import RunProgress
from mmwsss.files.json_files import read_json, write_json
from mmwsss.problems import ConfigError

NONE = dict(weights='none', device='cpu')


def masks(work_dir):
    """The bytes of all masks."""
    found = {}
    for stage in ('pseudo_train', 'pseudo_val', 'test'):
        for place, _, names in os.walk(osp.join(work_dir, stage)):
            for name in names:
                if name.endswith('.png') and not name.endswith('overlays.png'):
                    with open(osp.join(place, name), 'rb') as file:
                        found[stage, name] = file.read()
    return found


def test_from_photos_and_tags_to_masks(tagged_folder, tmp_path, capsys,
                                       monkeypatch):
    work_dir = str(tmp_path / 'run')
    plan(*tagged_folder, work_dir, **NONE)
    make_tiny(work_dir)
    capsys.readouterr()
    results = fit(*tagged_folder, work_dir, **NONE)
    assert list(results) == ['localizer', 'pseudo_train', 'pseudo_val',
                             'doubtful_labels', 'segmentor', 'test']
    assert osp.basename(results['localizer']['checkpoint']).startswith('best_')
    assert results['pseudo_train']['threshold_rule'] == 'auto'
    made = masks(work_dir)
    assert len(made) == 24 + 3  # and the predictions of the held-out ones
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 35, lines
    assert [line.split(':')[0] for line in lines[-3:]] == [
        'made', 'how good', 'look at']
    assert 'made: 24 masks' in lines[-3]
    # One threshold, found on the photos that were learned from.
    found = results['pseudo_train']['threshold']
    assert results['pseudo_val']['threshold'] == found
    assert f'(background threshold {found:.2f})' in lines[-3]
    assert 'mAP' in lines[-2] and 'overlays.png' in lines[-1]
    assert sum('kept' in line for line in lines) == 2
    with open(osp.join(work_dir, 'fit.log')) as file:
        assert 'Epoch(train)' in file.read()
    # The same command again does nothing, but says the same.
    monkeypatch.setattr('mmwsss.apis.stages.train', None)
    assert fit(*tagged_folder, work_dir, **NONE) == results
    again = capsys.readouterr().out.splitlines()
    assert again[-3:] == lines[-3:]
    assert 'goes on: what is finished is not done again' in again
    assert not any(line.startswith('goes on') for line in lines)


def test_too_few_to_hold_some_out(tmp_path, tagged_folder, capsys,
                                  monkeypatch):
    folder = make_tagged_photos(tmp_path / 'few', count=6)
    work_dir, budgets = str(tmp_path / 'run'), []
    monkeypatch.setattr('mmwsss.apis.fitting.RunProgress', lambda *args: (
        budgets.append(args[2]), RunProgress(*args))[1])
    plan(*folder, work_dir, time_budget=900., **NONE)
    make_tiny(work_dir)
    results = fit(*folder, work_dir, time_budget=900., **NONE)
    assert budgets == [900.]
    assert list(results) == ['localizer', 'pseudo_train', 'doubtful_labels',
                             'segmentor', 'test']
    assert osp.basename(results['localizer']['checkpoint']) == 'epoch_2.pth'
    assert 'too few photos to hold some out' in capsys.readouterr().out


def test_a_dry_run(tagged_folder, tmp_path, capsys):
    assert fit(*tagged_folder, str(tmp_path / 'run'), dry_run=True,
               **NONE) == {}
    assert not (tmp_path / 'run').exists()
    assert 'time: about' in capsys.readouterr().out


def test_other_settings_replace_nothing_unasked(tagged_folder, tmp_path,
                                                monkeypatch):
    work_dir = str(tmp_path / 'run')
    plan(*tagged_folder, work_dir, **NONE)
    make_tiny(work_dir)
    fit(*tagged_folder, work_dir, **NONE)
    with open(osp.join(work_dir, 'segmentor.py'), 'a') as file:
        file.write('train_cfg = dict(max_iters=2)\n')
    with pytest.raises(ConfigError, match='max_iters: 3 -> 2.*--overwrite'):
        fit(*tagged_folder, work_dir, **NONE)
    results = fit(*tagged_folder, work_dir, overwrite=True, **NONE)
    assert 'iter_2' in results['segmentor']['checkpoint']


@pytest.mark.parametrize('before, now', [
    (None, 0.5), (0.5, 'auto'), (0.5, 0.3)])
def test_masks_of_another_threshold_are_refused_first(
        tagged_folder, tmp_path, capsys, before, now):
    work_dir = str(tmp_path / 'run')
    plan(*tagged_folder, work_dir, threshold=before, **NONE)
    settings = {} if before is None else dict(threshold=before)
    write_json(osp.join(work_dir, 'pseudo_train', 'stage.json'),
               dict(settings=settings))
    planned = read_json(osp.join(work_dir, 'plan.json'))
    with pytest.raises(ConfigError, match=(
            f'masks of --threshold {before or "auto"}, and {now} is asked')):
        fit(*tagged_folder, work_dir, threshold=now, **NONE)
    assert capsys.readouterr().out == ''
    assert read_json(osp.join(work_dir, 'plan.json')) == planned


@pytest.mark.parametrize('moment', [4, 40, 70])
def test_killed_and_run_again(tagged_folder, tmp_path, moment):
    """It comes to the same end as one that was never killed."""
    ends = []
    for name in ('whole', 'killed'):
        work_dir = str(tmp_path / name)
        plan(*tagged_folder, work_dir, **NONE)
        make_tiny(work_dir)
        if name == 'killed':
            assert killed(moment, fit, *tagged_folder,
                          work_dir) == signal.SIGKILL
        fit(*tagged_folder, work_dir, **NONE)
        ends.append(masks(work_dir))
    assert ends[0] == ends[1]


@pytest.mark.parametrize('moment', [22, 60])
def test_a_copy_goes_on_and_leaves_the_first_run_alone(tagged_folder,
                                                       tmp_path, moment):
    first, copy = str(tmp_path / 'run'), str(tmp_path / 'copy')
    plan(*tagged_folder, first, **NONE)
    make_tiny(first)
    assert killed(moment, fit, *tagged_folder, first) == signal.SIGKILL
    assert osp.isfile(osp.join(first, 'localizer', 'last_checkpoint'))
    shutil.copytree(first, copy)
    before = state(first)
    fit(*tagged_folder, copy, **NONE)
    assert state(first) == before
    fit(*tagged_folder, first, **NONE)
    assert masks(copy) == masks(first) != {}


def state(folder):
    """When each file below a folder was written, and its size."""
    stats = {osp.join(place, name): os.stat(osp.join(place, name))
             for place, _, names in os.walk(folder) for name in names}
    return {path: (stat.st_mtime_ns, stat.st_size)
            for path, stat in stats.items()}


def killed(moment, work, *args):
    """Run in a process that is killed at its so-manieth rename."""
    child = os.fork()
    if child == 0:
        count, rename = [0], os.replace

        def replace(*args):
            count[0] += 1
            if count[0] == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return rename(*args)

        os.replace = replace
        try:
            work(*args, **NONE)
        finally:
            os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
