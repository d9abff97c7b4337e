"""What tests of refiners share."""
import pytest
from scenes import red_square


@pytest.fixture
def scene():
    """A photo, a map that is too small for its object, its label."""
    return red_square()
