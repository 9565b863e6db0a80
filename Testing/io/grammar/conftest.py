"""Small images whose bytes are made hostile, and a test's own limits."""

import resource
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

ROOM_BYTES = 1 << 29


def as_bytes(folder: Path, suffix: str, packed: bool = False) -> bytes:
    """A CT of 6 x 5 x 4 voxels as SimpleITK writes it."""
    array = np.linspace(-1000, 60, 120).astype(np.int16).reshape(4, 5, 6)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((1.5, 2.0, 3.0))
    sitk.WriteImage(image, str(folder / f"whole.{suffix}"), packed)
    return (folder / f"whole.{suffix}").read_bytes()


@contextmanager
def little_memory():
    """No more than half a GiB beyond what the process has now."""
    [pages] = [int(Path("/proc/self/statm").read_text().split()[0])]
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture(scope="module")
def a_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("images")
