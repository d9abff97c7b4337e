"""The newest whole checkpoint of a run is found, whatever a kill left."""
import os
import shutil

import pytest
import torch
from command_lines import logged

from mmwsss.files.run_folder import (
    best_whole_checkpoint,
    files_of_run,
    has_whole_weights,
    newest_checkpoint,
)
from mmwsss.problems import DataError


def save(folder, name, number, when, named=False, **others):
    path = folder / name
    torch.save(dict(meta=dict(epoch=number, iter=number), message_hub={},
                    state_dict=dict(w=torch.ones(100) * number), **others),
               path)
    os.utime(path, (when, when))
    if named:
        (folder / 'last_checkpoint').write_text(str(path))
    return path


def newest(folder):
    found = newest_checkpoint(str(folder))
    return found and found[1]['meta']['epoch']


def test_none(tmp_path):
    assert newest(tmp_path) is None
    assert best_whole_checkpoint(str(tmp_path)) is None


def test_a_whole_one_beats_an_older_name(tmp_path):
    save(tmp_path, 'epoch_2.pth', 2, 100, named=True)
    save(tmp_path, 'epoch_3.pth', 3, 101)
    assert newest(tmp_path) == 3


def test_an_earlier_longer_run_does_not(tmp_path):
    save(tmp_path, 'epoch_30.pth', 30, 50)
    save(tmp_path, 'epoch_2.pth', 2, 100, named=True)
    assert newest(tmp_path) == 2


def test_a_moved_folder(tmp_path):
    (tmp_path / 'a[1]').mkdir()
    save(tmp_path / 'a[1]', 'epoch_2.pth', 2, 100, named=True)
    save(tmp_path / 'a[1]', 'epoch_1.pth', 1, 101)
    (tmp_path / 'a[1]').rename(tmp_path / 'b[2]')
    assert newest(tmp_path / 'b[2]') == 2


def test_a_copied_folder_reads_nothing_of_the_first(tmp_path):
    first = tmp_path / 'first'
    first.mkdir()
    save(first, 'epoch_2.pth', 2, 100, named=True)
    shutil.copytree(first, tmp_path / 'copy')
    save(first, 'epoch_2.pth', 7, 101)  # a longer run, since
    assert newest(tmp_path / 'copy') == 2
    assert newest(first) == 7


@pytest.mark.parametrize('content', [
    b'', b'/nowhere/epoch_9.pth', b'\xff\xfe\x00', b'a\x00b', b'x' * 9999])
def test_a_damaged_note_counts_as_absent(tmp_path, content):
    save(tmp_path, 'epoch_1.pth', 1, 100)
    save(tmp_path, 'epoch_2.pth', 2, 101)
    (tmp_path / 'last_checkpoint').write_bytes(content)
    with logged() as lines:
        assert newest(tmp_path) == 2
    [line] = lines
    assert 'last_checkpoint: damaged' in line and '\n' not in line


@pytest.mark.parametrize('kept', [0, 1, 100, 1200])
def test_one_cut_short_is_passed_over(tmp_path, kept):
    save(tmp_path, 'epoch_1.pth', 1, 100)
    last = save(tmp_path, 'epoch_2.pth', 2, 101, named=True)
    last.write_bytes(last.read_bytes()[:kept])
    with logged() as lines:
        assert newest(tmp_path) == 1
    [line] = lines
    assert 'passed over' in line and 'epoch_2.pth' in line
    (tmp_path / 'epoch_1.pth').unlink()
    assert newest(tmp_path) is None


class Malicious:

    def __reduce__(self):
        return os.system, ('touch resume_ran_code', )


def test_one_that_asks_for_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path, 'epoch_2.pth', 2, 101, True, evil=Malicious())
    with pytest.raises(DataError, match='epoch_2.pth.*run code'):
        newest(tmp_path)
    assert not (tmp_path / 'resume_ran_code').exists()


def test_only_files_of_trainings_are_theirs(tmp_path):
    own = ['best_mAP_epoch_2.pth', 'epoch_12.pth', 'iter_300.pth',
           'last_checkpoint', '20260102_030405']
    for name in (*own, 'deit_tiny.pth', 'best.pth', 'epoch_1.pth.bak',
                 'my_epoch_1.pth', 'stage.json', 'config.py'):
        (tmp_path / name).touch() if '.' in name or name in own[:4] else (
            (tmp_path / name).mkdir())
    (tmp_path / '20260102').mkdir()
    assert sorted(os.path.basename(path.rstrip('/'))
                  for path in files_of_run(str(tmp_path))) == sorted(own)
    assert files_of_run(str(tmp_path / 'nowhere')) == []


@pytest.mark.parametrize('kept', [0, 1000, None])
def test_weights_that_are_no_longer_whole_are_named(tmp_path, kept):
    path = save(tmp_path, 'best_mAP_epoch_1.pth', 1, 100)
    assert has_whole_weights(str(path))
    if kept is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:kept])
    with logged() as lines:
        assert not has_whole_weights(str(path))
    [line] = lines
    assert 'passed over' in line and str(path) in line


def test_the_best_is_whole(tmp_path):
    first = save(tmp_path, 'best_mAP_epoch_1.pth', 1, 100)
    half = save(tmp_path, 'best_mAP_epoch_2.pth', 2, 101)
    half.write_bytes(half.read_bytes()[:500])
    assert best_whole_checkpoint(str(tmp_path)) == str(first)
    first.unlink()
    assert best_whole_checkpoint(str(tmp_path)) is None
    last = save(tmp_path, 'epoch_2.pth', 2, 101)
    assert best_whole_checkpoint(str(tmp_path)) == str(last)
