"""Reports with coarse pictures: how they look is tested in Testing/report."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def reports(coarse_pictures):
    """Before any that a fixture of a module writes."""
