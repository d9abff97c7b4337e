"""What tests of the path share."""
import pytest
from shapes import AFFINITY, ROOT


@pytest.fixture
def affinity_config(shapes, tmp_path):
    """A tiny IRN whose maps come from the pipeline."""
    path = tmp_path / 'irn.py'
    path.write_text(AFFINITY.format(
        root=ROOT, name='irn_deit-tiny_voc', data_root=shapes,
        maps=str(tmp_path / 'maps')))
    return str(path)
