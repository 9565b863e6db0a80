"""Each sample's own lesion on the case's grid, as small as it can be kept."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.tasks.segment.outlines import sample_outlines
from DiffuFuseMedLib.tasks.segment.predict import predict
from DiffuFuseMedLib.tasks.segment.sampling import onto_case
from DiffuFuseMedLib.tasks.segment.settings import Settings
from scipy.ndimage import gaussian_filter

SOURCE = Grid((30, 28, 20), (2.0, 2.0, 3.0), (-10.0, 5.0, 0.0))
FINER = Grid((80, 70, 34), (1.0, 1.0, 2.0), (-14.0, 3.0, -5.0))  # reaches beyond the source on all sides
TURNED = Grid((60, 60, 40), (1.3, 1.3, 2.0), (5.0, 0.0, -10.0), (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0))


@pytest.fixture(scope="module")
def samples():
    """Three blobs: one in the middle, one at the image's edge, and none at all."""
    found = np.zeros((3, *SOURCE.shape), np.float32)
    found[0, 8:13, 10:20, 9:21] = 1
    found[1, 12:, 20:, 3:9] = 1
    return np.clip(gaussian_filter(found, (0, 1, 1, 1)), 0.001, 0.999)


@pytest.mark.parametrize("grid", [SOURCE, FINER, TURNED], ids=["its own", "finer", "turned"])
def test_each_is_what_the_whole_image_would_give(samples, grid):
    """Only the box around them is brought to the grid, and nothing shows it."""
    outlines = sample_outlines(samples, SOURCE, grid)
    for sample, outline in zip(samples, outlines, strict=True):
        np.testing.assert_array_equal(outline.mask(), onto_case(sample, SOURCE, grid) > 0.5)
    assert outlines[0].mask().any()
    assert not outlines[2].mask().any()


def test_an_outline_may_be_of_another_level_than_one_half(samples):
    narrow, usual, wide = (sample_outlines(samples[:1], SOURCE, FINER, at=at)[0].mask() for at in (0.9, 0.5, 0.1))
    np.testing.assert_array_equal(wide, onto_case(samples[0], SOURCE, FINER) > 0.1)
    assert 0 < narrow.sum() < usual.sum() < wide.sum()


def test_nothing_found_is_empty_outlines(samples):
    assert not any(outline.mask().any() for outline in sample_outlines(samples[2:], SOURCE, FINER))


def test_so_many_are_kept_as_fit(samples):
    sizes = [len(outline.bits) for outline in sample_outlines(samples, SOURCE, FINER)]
    assert len(sample_outlines(samples, SOURCE, FINER, most_bytes=sum(sizes[:2]))) == 2
    assert sample_outlines(samples, SOURCE, FINER, most_bytes=sizes[0] - 1) == ()


def test_a_prediction_holds_one_for_each_sample_and_says_what_was_left_out(a_case, a_model, monkeypatch):
    made = predict(a_case(), a_model, Settings(samples=3))
    assert [voxels.mask().sum() > 0 for voxels in made.samples] == [True] * 3
    assert not made.provenance["notes"]
    monkeypatch.setattr("DiffuFuseMedLib.tasks.segment.outlines.sample_outlines.__defaults__", (1, 0.5))
    made = predict(a_case(), a_model, Settings(samples=3))
    assert made.samples == ()
    assert "3 of the 3 samples are not offered" in made.provenance["notes"][0]
