"""Reports with coarse pictures: how they look is tested in Testing/report."""

import pytest
from DiffuFuseMedLib.report import figures


@pytest.fixture(scope="module", autouse=True)
def coarse_pictures():
    """A twentieth of the pixels, which take most of a small run's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "DPI", 22)
        yield
