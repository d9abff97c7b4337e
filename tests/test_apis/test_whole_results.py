"""What a finished stage has lost is noticed, and made again."""
import glob
import json
import os.path as osp
import shutil

import pytest
from command_lines import logged

from mmwsss.apis import run_pipeline
from mmwsss.apis.whole_results import nothing_lost, photos_are_whole


def content(folder):
    """Bytes of all masks and maps."""
    found = {}
    for ending in ('png', 'npz'):
        for path in glob.glob(osp.join(folder, '*', '*', f'*.{ending}')):
            with open(path, 'rb') as file:
                found[osp.relpath(path, folder)] = file.read()
    return found


def cut(path, kept=0):
    """Leave the first bytes of a file."""
    with open(path, 'r+b') as file:
        file.truncate(kept)


def test_a_finished_run_makes_again_what_it_lost(
        localizer_config, segmentor_config, tmp_path, monkeypatch):
    monkeypatch.setattr('mmwsss.apis.pipeline.write_report', lambda _: '')
    lines = []  # every stage has a log of its own
    for module in ('apis.stages', 'files.run_folder'):
        monkeypatch.setattr(f'mmwsss.{module}.print_log',
                            lambda line, *_: lines.append(line))
    work_dir = tmp_path / 'run'
    arguments = localizer_config, segmentor_config, str(work_dir)
    first = run_pipeline(*arguments)
    made = content(work_dir)
    masks, maps = (work_dir / 'pseudo_train' / name
                   for name in ('masks', 'maps'))
    best = first['localizer']['checkpoint']
    for path in sorted(masks.iterdir())[5:]:
        path.unlink()
    cut(masks / 'img2.png')
    cut(masks / 'img3.png', 100)
    (maps / 'img3.npz').unlink()
    cut(maps / 'img4.npz', 200)
    (work_dir / 'pseudo_val' / 'scores.json').unlink()
    shutil.rmtree(work_dir / 'test' / 'predictions')
    cut(first['segmentor']['checkpoint'], 1000)
    lines.clear()
    assert run_pipeline(*arguments) == first
    assert content(work_dir) == made
    again = [line for line in lines if 'is made again' in line]
    assert len(again) == 4 and all('\n' not in line for line in again)

    # The best one is lost for good: the last one, and what differs is said.
    cut(best, 1000)
    lines.clear()
    again = run_pipeline(*arguments)
    taken = osp.basename(again['localizer']['checkpoint'])
    assert taken.startswith('epoch_')
    [line] = [line for line in lines if 'otherwise' in line]
    assert osp.basename(best) in line and taken in line
    assert [line for line in lines
            if 'passed over' in line and osp.basename(best) in line]


@pytest.mark.parametrize('text', ['{"photos": 3}', '[', '{}', ''])
def test_damaged_notes_are_named(tmp_path, text):
    (tmp_path / 'photos.json').write_text(text)
    with logged() as lines:
        assert not photos_are_whole(str(tmp_path))
    [line] = lines
    assert 'photos.json' in line and '\n' not in line


def test_lost_files_are_counted(tmp_path):
    paths = [str(tmp_path / f'{i}.json') for i in range(4)]
    for path in paths[:2]:
        with open(path, 'w') as file:
            json.dump({}, file)
    assert nothing_lost(paths[:2])
    with logged() as lines:
        assert not nothing_lost(paths)
    [line] = lines
    assert '2 of 4 files' in line and paths[2] in line
