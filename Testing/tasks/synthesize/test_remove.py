"""Removal: only masked voxels change, missing ones stay missing, and every modality is handled."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.errors import CancelledError, InputError
from DiffuFuseMedLib.models.zoo import Model
from DiffuFuseMedLib.tasks.synthesize import remove as module
from DiffuFuseMedLib.tasks.synthesize.removal_mask import removal_mask
from DiffuFuseMedLib.tasks.synthesize.remove import Frame, frame_of, remove
from scipy.ndimage import binary_erosion


@pytest.fixture
def case(a_case):
    return a_case()


@pytest.fixture
def mask(case):
    return removal_mask(case.reference_mask.array, case.grid.spacing_kji_mm)


class Fills:
    """Fills every hole with a constant: 0 in network units."""

    def __init__(self, config, value=0.0):
        self.config, self.value, self.stride, self.seen = config, value, (4, 4), []

    def inpaint(self, images, hole):
        self.seen.append((images, hole))
        return {m: torch.where(hole > 0, self.value, x[:, :1]) for m, x in images.items()}


@pytest.fixture
def a_constant(an_inpainter):
    """A function of a value: a model that fills with it."""
    return lambda value=0.0: Model(an_inpainter.record, Fills(an_inpainter.network.config, value), "cpu")


def test_only_masked_voxels_change_and_only_where_there_is_an_image(case, mask, an_inpainter):
    healthy = remove(case, mask, an_inpainter)
    assert set(healthy.volumes) == {"CT", "PET", "MR_T1"} and np.array_equal(healthy.removed, mask)
    for m, volume in healthy.volumes.items():
        before, may = case.volumes[m].array, mask & case.valid[m]
        assert volume.array.dtype == before.dtype and volume.grid == case.grid and volume.modality == m
        assert np.array_equal(volume.array[~may], before[~may])
        assert (volume.array[may] != before[may]).mean() > 0.99


def test_a_voxel_that_is_missing_stays_missing(case, an_inpainter):
    mask = np.zeros(case.grid.shape, bool)
    mask[4:8, 10:20, 24:] = True
    volume = remove(case, mask, an_inpainter).volumes["MR_T1"]
    assert np.array_equal(volume.array[..., -2:], case.volumes["MR_T1"].array[..., -2:])
    assert (volume.array[4:8, 10:20, 24:-2] != case.volumes["MR_T1"].array[4:8, 10:20, 24:-2]).mean() > 0.99


def test_what_the_network_fills_in_is_written_in_the_units_of_the_image(case, mask, a_constant):
    healthy = remove(case, mask, a_constant(0.0))
    inside = binary_erosion(mask, np.ones((1, 5, 5)))  # its rim lies between what is filled in and what is known
    assert np.allclose(healthy.volumes["CT"].array[inside], 0.0, atol=1e-2)
    assert np.allclose(healthy.volumes["PET"].array[inside], np.expm1(0.5 * np.log1p(10)), atol=1e-2)
    seen = healthy.volumes["MR_T1"].array[inside & case.valid["MR_T1"]]
    assert np.ptp(seen) < 0.1 and abs(seen.mean() - 480) < 60


def test_what_is_filled_in_reaches_the_edge_of_the_field_of_view(case, a_constant):
    """A pixel that lies beyond it for the most part is filled as well: here the MR is a strip of one voxel."""
    mask = np.zeros(case.grid.shape, bool)
    mask[2:10, 6:30, 8:28] = True
    valid = np.zeros(case.grid.shape, bool)
    valid[..., 20] = True
    strip = replace(case, valid={**case.valid, "MR_T1": valid})
    dark, bright = (remove(strip, mask, a_constant(v)).volumes["MR_T1"].array[5, 15, 20] for v in (0.0, 1.0))
    assert bright > dark + 10


def test_what_is_filled_in_does_not_darken_where_nothing_else_is_known(case, mask, a_constant):
    """A voxel at the hole's rim, half of whose pixels lie where the image says nothing."""
    inside = replace(case, valid={**case.valid, "MR_T1": mask & case.valid["MR_T1"]})
    filled = remove(inside, mask, a_constant(1.0)).volumes["MR_T1"].array[inside.valid["MR_T1"]]
    assert filled.size > 100 and np.ptp(filled) < 0.01 * filled.max()


def test_nothing_of_the_lesion_is_handed_to_the_network(case, mask, a_constant):
    """Every pixel with a part of the mask is hole, so that the known ones hold no lesion."""
    model = a_constant()
    remove(case, mask, model)
    for images, hole in model.network.seen:
        uptake = (images["PET"][:, :1] > 0.1) & (images["PET"][:, 1:] > 0)
        assert uptake.any() and (hole[uptake] == 1).all()


def test_the_same_case_gives_the_same_voxels(case, mask, an_inpainter):
    one, again = (remove(case, mask, an_inpainter) for _ in range(2))
    assert all(np.array_equal(one.volumes[m].array, again.volumes[m].array) for m in one.volumes)


def test_how_many_slices_go_at_once_changes_nothing(case, mask, an_inpainter, monkeypatch):
    one = remove(case, mask, an_inpainter)
    monkeypatch.setattr(module, "SLICES_AT_ONCE", 3)
    other = remove(case, mask, an_inpainter)
    for m in one.volumes:
        assert np.allclose(one.volumes[m].array, other.volumes[m].array, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("present", [["CT"], ["PET", "MR_T1"], ["MR_T1"]])
def test_any_modality_alone_will_do(case, mask, an_inpainter, present):
    healthy = remove(case.only(present), mask, an_inpainter)
    assert list(healthy.volumes) == [m for m in ("CT", "PET", "MR_T1") if m in present]
    assert all(np.isfinite(v.array).all() for v in healthy.volumes.values())


def test_an_unknown_modality_is_left_alone_and_said(case, mask, an_inpainter):
    t2 = replace(case.volumes["MR_T1"], modality="MR_T2")
    wider = replace(case, volumes={**case.volumes, "MR_T2": t2}, valid={**case.valid, "MR_T2": case.valid["MR_T1"]})
    healthy = remove(wider, mask, an_inpainter)
    assert "MR_T2" not in healthy.volumes and healthy.of(wider).volumes["MR_T2"] is t2
    told = healthy.provenance
    assert told["notes"][1] == "MR_T2 is unknown to tiny-inpainter and shows the lesion still."
    assert "made up" in told["notes"][0] and told["sha256"] == an_inpainter.record.sha256


def test_a_hole_at_the_edge_of_the_case_and_one_larger_than_the_window_are_filled(case, an_inpainter):
    for box in (np.s_[0:2, 0:5, 0:5], np.s_[:, :, :]):
        mask = np.zeros(case.grid.shape, bool)
        mask[box] = True
        healthy = remove(case, mask, an_inpainter)
        assert np.isfinite(healthy.volumes["CT"].array).all()
        assert (healthy.volumes["CT"].array[box] != case.volumes["CT"].array[box]).mean() > 0.99


def test_what_cannot_be_removed_is_refused_in_a_sentence(case, mask, an_inpainter, a_model):
    with pytest.raises(InputError, match="Given an empty mask"):
        remove(case, np.zeros_like(mask), an_inpainter)
    with pytest.raises(InputError, match=r"a mask of shape \(2, 36, 32\)"):
        remove(case, mask[:2], an_inpainter)
    with pytest.raises(InputError, match="does not fill holes"):
        remove(case, mask, a_model)
    with pytest.raises(InputError, match="a case with no image"):
        remove(case.only([]), mask, an_inpainter)


def test_progress_is_told_and_a_stop_is_followed(case, mask, an_inpainter):
    told = []
    remove(case, mask, an_inpainter, progress=lambda share, what: told.append(share))
    assert told == sorted(told) and told[-1] == 1 and len(told) == 2
    with pytest.raises(CancelledError):
        remove(case, mask, an_inpainter, cancel=lambda: True)


def test_a_frame_holds_the_hole_with_its_surroundings_in_multiples_of_the_stride():
    hole = np.zeros((3, 100, 90), bool)
    hole[1, 40:61, 30:33] = True
    frame = frame_of(hole, 32, (8, 8))
    assert frame.shape == (72, 56) and frame.start[0] <= 40 - 24 and frame.start[0] + 72 >= 61 + 24
    assert frame_of(hole, 96, (8, 8)).shape == (96, 96)


@pytest.mark.parametrize("frame", [Frame((-3, 2), (10, 6)), Frame((1, 1), (4, 20)), Frame((2, 3), (3, 3))])
def test_what_is_cut_and_pasted_lies_where_it_was(frame):
    x = torch.arange(2 * 8 * 9).reshape(2, 8, 9).float() + 1
    part = frame.cut(x)
    assert part.shape == (2, *frame.shape)
    assert torch.equal(frame.paste(part, x), x)
    changed = frame.paste(torch.zeros_like(part), x) == 0
    rows, columns = (slice(max(s, 0), s + n) for s, n in zip(frame.start, frame.shape, strict=True))
    wanted = torch.zeros_like(changed)
    wanted[:, rows, columns] = True
    assert torch.equal(changed, wanted)
