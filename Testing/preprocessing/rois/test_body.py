"""Bodies in HU: a drawn thigh with every trap, and the shipped case."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.preprocessing.rois import MODEL, SCORING, automatic_rois

STS_010 = Path(__file__).resolve().parents[3] / "Resources" / "SampleData" / "STS_010"
AIR, FAT, MUSCLE, CORTEX, MARROW = -1000, -100, 50, 1200, -80


def case_of(arrays, spacing=(1.0, 1.0, 3.0)):
    shape = next(iter(arrays.values())).shape
    grid = Grid(shape[::-1], spacing)
    volumes = {m: Volume(a.astype(np.float32), grid, m) for m, a in arrays.items()}
    return Case("drawn", grid, next(iter(arrays)), volumes, {m: np.ones(shape, bool) for m in arrays})


def tube(shape, center, radius):
    _, j, i = np.indices(shape)
    return (j - center[0]) ** 2 + (i - center[1]) ** 2 <= radius**2


@pytest.fixture
def a_thigh():
    """HU [20, 120, 160]: two legs with a femur each, calcification, a gas pocket, a large one, and a table."""
    shape = (20, 120, 160)
    hu = np.full(shape, AIR, np.float32)
    for i in (42, 120):
        hu[tube(shape, (50, i), 36)] = FAT
        hu[tube(shape, (50, i), 30)] = MUSCLE
        hu[tube(shape, (50, i), 14)] = CORTEX
        hu[tube(shape, (50, i), 9)] = MARROW
    hu[:, 49:52, 128:135] = FAT  # a crack of 3 mm in the cortex of one femur
    hu[9:11, 68:72, 40:44] = 800  # calcification: 32 voxels of 3 mm3
    hu[10, 28:31, 40:43] = -900  # 0.03 ml of gas
    hu[4:16, 65:75, 115:125] = -900  # 3.6 ml of gas
    hu[:, 100:104, 5:155] = 150  # table
    hu[:, 2:15, 74:87] = 100  # a bottle
    return hu


def test_bone_is_cortex_with_its_marrow(a_thigh):
    bone = automatic_rois(case_of({"CT": a_thigh})).bone
    femurs = tube(a_thigh.shape, (50, 42), 14) | tube(a_thigh.shape, (50, 120), 14)
    assert (bone & femurs).sum() / femurs.sum() > 0.99
    assert bone[10, 50, 42] and bone[10, 50, 120]  # marrow
    assert bone[10, 50, 131]  # the crack
    assert (bone & ~femurs).sum() < 0.02 * femurs.sum()


def test_calcification_and_small_gas_stay_soft_and_large_gas_is_neither(a_thigh):
    rois = automatic_rois(case_of({"CT": a_thigh}))
    assert rois.soft[10, 70, 42] and rois.soft[10, 29, 41]
    assert rois.inside[10, 70, 120] and not rois.soft[10, 70, 120] and not rois.bone[10, 70, 120]


def test_both_legs_are_inside_and_the_table_is_not(a_thigh):
    inside = automatic_rois(case_of({"CT": a_thigh})).inside
    assert inside[10, 50, 7] and inside[10, 50, 155]
    assert not inside[:, 95:].any()
    assert not inside[10, 8, 80]


def test_fat_and_muscle_are_soft(a_thigh):
    rois = automatic_rois(case_of({"CT": a_thigh}))
    assert rois.region == "body" and rois.soft[10, 50, 9] and rois.soft[10, 50, 25]


def test_a_bone_that_the_edge_of_the_volume_cuts_keeps_its_marrow(a_thigh):
    cut = a_thigh[:, 50:]
    assert automatic_rois(case_of({"CT": cut})).bone[10, 0, 42]


def test_bright_skin_at_the_edge_of_the_field_of_view_is_no_bone(a_thigh):
    _, _, i = np.indices(a_thigh.shape)
    arm = tube(a_thigh.shape, (50, 120), 36) & ~tube(a_thigh.shape, (50, 120), 14)
    a_thigh[arm] += np.clip(60.0 * (i[arm] - 135), 0, None)  # up to 1200 HU at the skin
    rois = automatic_rois(case_of({"CT": a_thigh}))
    assert rois.bone[10, 50, 120] and rois.bone[10, 50, 109]
    assert not rois.bone[:, :, 150:].any()


def test_the_pelvic_cavity_is_no_marrow():
    shape = (12, 180, 220)
    hu = np.full(shape, AIR, np.float32)
    hu[tube(shape, (90, 110), 85)] = MUSCLE
    hu[tube(shape, (90, 110), 62)] = CORTEX
    hu[tube(shape, (90, 110), 54)] = FAT
    rois = automatic_rois(case_of({"CT": hu}))
    assert rois.region == "body" and rois.soft[6, 90, 110] and rois.bone[6, 90, 52]


def test_refuses_a_ct_of_air():
    with pytest.raises(InputError, match="air alone"):
        automatic_rois(case_of({"CT": np.full((4, 20, 20), AIR)}))


def test_refuses_a_case_without_ct_or_tracer():
    with pytest.raises(InputError, match="MR_T1"):
        automatic_rois(case_of({"MR_T1": np.ones((4, 20, 20))}))


def test_voxels_outside_the_ct_are_air(a_thigh):
    case = case_of({"CT": a_thigh})
    a_thigh[:, :, 80:] = 3000  # says nothing
    valid = np.ones(a_thigh.shape, bool)
    valid[:, :, 80:] = False
    case = replace(case_of({"CT": a_thigh}), valid={"CT": valid})
    assert not automatic_rois(case).inside[:, :, 80:].any()


@pytest.fixture(scope="module")
def sts_010():
    return load_case(STS_010, register="never")


@pytest.fixture(scope="module")
def rois_010(sts_010):
    return {t.name: automatic_rois(sts_010, sts_010.reference_mask.array, t) for t in (MODEL, SCORING)}


def test_the_shipped_case_is_a_body_with_shin_calf_and_marrow(rois_010):
    rois = rois_010["model"]
    assert rois.region == "body"
    assert rois.bone[29, 34, 104] and rois.bone[29, 60, 137]  # marrow of tibia and fibula
    assert rois.soft[29, 100, 90] and not rois.inside[29, 144, 100]  # the tumor; the table


def test_the_lesion_is_the_given_mask(sts_010, rois_010):
    assert np.array_equal(rois_010["model"].lesion, sts_010.reference_mask.array > 0)
    assert not automatic_rois(sts_010).lesion.any()


def test_model_and_scoring_differ_and_agree_broadly(rois_010):
    for name in ("bone", "soft"):
        model, scoring = (getattr(rois_010[t], name) for t in ("model", "scoring"))
        overlap = 2 * (model & scoring).sum() / (model.sum() + scoring.sum())
        assert 0.8 < overlap < 0.9999


def test_every_threshold_that_moves_a_border_differs():
    same = [k for k in vars(MODEL) if getattr(MODEL, k) == getattr(SCORING, k)]
    assert same == []
