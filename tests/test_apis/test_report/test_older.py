"""Results of before photos were noted still open."""
import os
import os.path as osp

import pytest

from mmwsss.apis import generate_pseudo_labels
from mmwsss.apis.report.older import find_records
from mmwsss.apis.report.runs import find_runs


@pytest.fixture
def older(trained, tmp_path):
    """A folder of masks without photos.json."""
    cfg, checkpoint = trained
    out = osp.join(cfg.work_dir, 'pseudo', 'val')
    generate_pseudo_labels(cfg, checkpoint, out, 'val')
    cfg.dump(osp.join(cfg.work_dir, 'localizer.py'))
    [run] = find_runs(out)
    find_records(run)
    os.remove(osp.join(out, 'photos.json'))
    return out, run.parts[0].records


def test_masks_are_looked_at_again(older):
    out, expected = older
    [run] = find_runs(out)
    find_records(run)
    records = run.parts[0].records
    assert len(records.photos) == 8
    assert records == expected


def test_a_folder_whose_data_are_gone_has_no_photos(older, tmp_path):
    out, _ = older
    os.rename(tmp_path / 'shapes', tmp_path / 'elsewhere')
    [run] = find_runs(out)
    find_records(run)
    assert run.parts[0].records is None
