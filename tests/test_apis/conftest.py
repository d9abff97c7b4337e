"""What tests of the path share."""
import pytest
from shapes import AFFINITY, ROOT
from tagged_photos import COSTS, make_tagged_photos


@pytest.fixture
def affinity_config(shapes, tmp_path):
    """A tiny IRN whose maps come from the pipeline."""
    path = tmp_path / 'irn.py'
    path.write_text(AFFINITY.format(
        root=ROOT, name='irn_deit-tiny_voc', data_root=shapes,
        maps=str(tmp_path / 'maps')))
    return str(path)


@pytest.fixture
def tagged_folder(tmp_path, monkeypatch):
    """Photos and tags for a plan, on a machine whose speed is known."""
    monkeypatch.setattr('mmwsss.apis.planning.measure_costs',
                        lambda *args: COSTS)
    return make_tagged_photos(tmp_path / 'project')
