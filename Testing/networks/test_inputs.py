"""From a Case to what a network sees."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.networks.inputs import network_grid, network_images, stacked

KNOWN = ("CT", "PET", "MR_T1")


@pytest.fixture
def a_case():
    """8 x 10 x 12 voxels of 4 x 2 x 2 mm. CT: 50 HU, mid-window; PET: SUV 10; MR: seen in its first half."""
    grid = Grid((12, 10, 8), (2.0, 2.0, 4.0))
    mr = np.random.default_rng(0).uniform(100, 900, grid.shape)
    arrays = {"CT": np.full(grid.shape, 50.0), "PET": np.full(grid.shape, 10.0), "MR_T1": mr}
    valid = {m: np.ones(grid.shape, bool) for m in arrays}
    valid["MR_T1"][:, :, 6:] = False
    volumes = {m: Volume(a.astype(np.float32), grid, m) for m, a in arrays.items()}
    return Case("tiny", grid, "CT", volumes, valid)


def test_the_network_grid_covers_the_same_box_at_its_own_spacing(a_case):
    grid = network_grid(a_case.grid, (8.0, 4.0, 3.0))
    assert (grid.shape, grid.spacing_kji_mm) == ((4, 5, 8), (8.0, 4.0, 3.0))
    # the first corner stays: its voxels' centers move by half the difference in spacing, i, j, k
    assert grid.origin == (0.5, 1.0, 2.0)


def test_gives_intensity_and_valid_of_each_modality(a_case):
    images = network_images(a_case, a_case.grid, KNOWN)
    assert {m: (tuple(x.shape), x.dtype) for m, x in images.items()} == dict.fromkeys(
        KNOWN, ((2, 8, 10, 12), torch.float32)
    )
    torch.testing.assert_close(images["CT"], torch.stack([torch.zeros(8, 10, 12), torch.ones(8, 10, 12)]))
    torch.testing.assert_close(images["PET"][0], torch.full((8, 10, 12), 0.5))


def test_knows_only_the_modalities_of_the_case_and_of_the_network(a_case):
    assert tuple(network_images(a_case, a_case.grid, ("PET", "MR_T2"))) == ("PET",)
    assert tuple(network_images(a_case.only(("CT", "MR_T1")), a_case.grid, KNOWN)) == ("CT", "MR_T1")


def test_voxels_of_a_modality_switched_off_change_nothing(a_case):
    loud = a_case.volumes["MR_T1"].with_array(a_case.volumes["MR_T1"].array * -7 + 3)
    other = replace(a_case, volumes={**a_case.volumes, "MR_T1": loud})
    grid = network_grid(a_case.grid, (8.0, 4.0, 3.0))
    off = [network_images(c.only(("CT", "PET")), grid, KNOWN) for c in (a_case, other)]
    assert tuple(off[0]) == tuple(off[1]) == ("CT", "PET")
    assert all(torch.equal(off[0][m], off[1][m]) for m in off[0])
    on = [network_images(c, grid, KNOWN)["MR_T1"] for c in (a_case, other)]
    assert not torch.equal(*on)


def test_voxels_beyond_the_field_of_view_change_nothing(a_case):
    array = a_case.volumes["MR_T1"].array.copy()
    array[:, :, 6:] = 5000
    other = replace(a_case, volumes={**a_case.volumes, "MR_T1": a_case.volumes["MR_T1"].with_array(array)})
    grid = network_grid(a_case.grid, (4.0, 4.0, 3.0))
    assert torch.equal(*[network_images(c, grid, KNOWN)["MR_T1"] for c in (a_case, other)])


def test_the_rim_of_the_field_of_view_is_not_pulled_to_zero(a_case):
    """PET of SUV 10 seen in one half, at a coarser spacing: 0.5 up to the rim, 0 and not valid beyond it."""
    valid = {**a_case.valid, "PET": a_case.valid["MR_T1"]}
    case = replace(a_case, valid=valid)
    image, inside = network_images(case, network_grid(case.grid, (4.0, 4.0, 4.0)), KNOWN)["PET"]
    assert inside[0, 0].tolist() == [1, 1, 1, 0, 0, 0]
    torch.testing.assert_close(image, 0.5 * inside)


def test_a_picture_in_color_comes_as_red_green_blue_and_valid():
    """255 is 1, 0 is -1, 127.5 is 0; nothing is said beyond the field of view."""
    grid = Grid((4, 4, 1))
    colors = np.broadcast_to(np.array([255, 127.5, 0], np.float32), (1, 4, 4, 3))
    valid = np.ones(grid.shape, bool)
    valid[..., 3:] = False
    picture = Volume(colors, grid, "RGB")
    seen = network_images(Case("x", grid, "RGB", {"RGB": picture}, {"RGB": valid}), grid, ("RGB",))["RGB"]
    assert (tuple(seen.shape), seen.dtype) == ((4, 1, 4, 4), torch.float32)
    torch.testing.assert_close(seen[:, 0, 0, 0], torch.tensor([1.0, 0.0, -1.0, 1.0]))
    assert not seen[..., 3].any()


def test_an_absent_modality_is_zeros_with_an_empty_mask_in_its_place():
    seen = {"PET": torch.rand(2, 2, 8, 8), "CT": torch.rand(2, 2, 8, 8)}
    made = stacked(seen, KNOWN)
    assert torch.equal(made[:, :4], torch.cat([seen["CT"], seen["PET"]], dim=1))
    assert made.shape == (2, 6, 8, 8)
    assert not made[:, 4:].any()
