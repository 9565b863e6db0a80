"""One patient's volumes brought onto one grid, and what the quality report says of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.align import align
from DiffuFuseMedLib.preprocessing.quality import quality_report, shift_mm_and_rotation_degrees

STS_010 = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"


def real(key, modality=None):
    kind = sitk.sitkUInt8 if modality is None else sitk.sitkFloat32
    return Volume.from_sitk(sitk.ReadImage(str(STS_010 / f"{key}.nii.gz"), kind), modality)


@pytest.fixture(scope="module")
def sarcoma():
    return {key: real(key, key) for key in ("CT", "PET", "MR_T1")}


@pytest.fixture(scope="module")
def lesion():
    return real("GTV")


@pytest.fixture(scope="module")
def a_case(sarcoma, lesion):
    return align(sarcoma, name="STS_010", reference_mask=lesion, notes=["an example"])


@pytest.fixture
def two_blobs():
    """A PET and a CT of the same 16 mm blob, small enough to align in no time."""
    k, j, i = np.indices((24, 24, 24)) - 12.0
    blob = np.exp(-(k**2 + 2 * j**2 + 0.5 * i**2) / 60)
    grid = Grid((24, 24, 24), (2.0, 2.0, 2.0))
    return {
        "CT": Volume((1000 * blob - 1000).astype(np.float32), grid, "CT"),
        "PET": Volume((5 * blob).astype(np.float32), grid, "PET"),
    }


def shifted(volume, shift_mm):
    origin = tuple(o + s for o, s in zip(volume.grid.origin, shift_mm, strict=True))
    return replace(volume, grid=replace(volume.grid, origin=origin))


def framed(volume, frame):
    return volume.with_array(volume.array, frame_of_reference=frame)


def has(report, *words):
    return any(all(word in line for word in words) for line in report)


def test_the_ct_is_the_reference_and_stays_voxel_for_voxel(sarcoma, a_case):
    assert a_case.reference == "CT"
    assert a_case.modalities == ("CT", "PET", "MR_T1")
    np.testing.assert_array_equal(a_case.volumes["CT"].array, sarcoma["CT"].array)
    for key in a_case.modalities:
        assert a_case.volumes[key].grid == a_case.grid
        assert a_case.volumes[key].array.dtype == np.float32
        assert a_case.valid[key].shape == a_case.grid.shape


def test_files_that_name_no_frame_are_not_registered_and_the_report_says_so(a_case):
    assert not any(a.registered for a in a_case.alignment.values())
    report = quality_report(a_case)
    assert has(report, "do not name a frame of reference")
    assert has(report, "MR_T1 lies where its header places it", "overlap 61 %", "0.79 nats")
    assert has(report, "The MR_T1 field of view covers 61 % of the grid")
    assert "an example." in report


def test_the_lesion_stays_as_drawn_on_the_ct_and_keeps_its_volume_on_the_mr(sarcoma, lesion, a_case):
    np.testing.assert_array_equal(a_case.reference_mask.array, lesion.array)
    on_mr = align(sarcoma, reference="MR_T1", register="never", reference_mask=lesion)
    drawn, moved = (m.array.sum() * m.grid.voxel_mm3 for m in (lesion, on_mr.reference_mask))
    assert on_mr.grid == sarcoma["MR_T1"].grid
    assert moved == pytest.approx(drawn, rel=0.01)


def test_without_ct_the_mr_with_the_finest_voxels_is_the_reference(two_blobs):
    coarse = replace(two_blobs["PET"], modality="MR_T1")
    fine = replace(coarse, modality="MR_T2", grid=replace(coarse.grid, spacing_mm=(1.9, 1.9, 2.0)))
    pet = two_blobs["PET"]
    assert align({"PET": pet, "MR_T1": coarse, "MR_T2": fine}, register="never").reference == "MR_T2"
    assert align({"PET": pet}).reference == "PET"


def test_differing_frames_of_reference_are_registered_and_equal_ones_are_not(two_blobs):
    off = shifted(two_blobs["PET"], (9.0, 0.0, 0.0))
    ct = framed(two_blobs["CT"], "1.2.3")
    same = align({"CT": ct, "PET": framed(off, "1.2.3")})
    assert not same.alignment["PET"].registered
    assert not align({"CT": ct, "PET": off}).alignment["PET"].registered
    differing = align({"CT": ct, "PET": framed(off, "1.2.4")})
    alignment = differing.alignment["PET"]
    assert alignment.registered
    assert alignment.mutual_information > same.alignment["PET"].mutual_information
    shift, angle = shift_mm_and_rotation_degrees(differing, "PET")
    assert shift == pytest.approx(9, abs=1)
    assert angle < 6  # a smooth blob hardly shows its angle
    assert has(quality_report(differing), "PET was registered to CT", f"moved {shift:.1f} mm")
    assert has(quality_report(differing), "different frames of reference")


def test_images_that_do_not_meet_are_registered_and_never_forbids_it(two_blobs):
    far = {**two_blobs, "PET": shifted(two_blobs["PET"], (500.0, 0.0, 0.0))}
    case = align(far)
    assert case.alignment["PET"].registered
    assert case.alignment["PET"].overlap > 0.8
    assert has(quality_report(case), "did not overlap as given")
    with pytest.raises(InputError, match=r"PET that does not overlap CT.*switch registration on"):
        align(far, register="never")


def test_a_lesion_drawn_on_an_image_follows_that_image(two_blobs):
    pet = shifted(two_blobs["PET"], (500.0, 0.0, 0.0))
    hot = Volume((pet.array > 2.5).astype(np.uint8), pet.grid)
    case = align({"CT": two_blobs["CT"], "PET": pet}, reference_mask=hot)
    there = case.volumes["PET"].array > 2.5
    dice = 2 * (there & (case.reference_mask.array > 0)).sum() / (there.sum() + case.reference_mask.array.sum())
    assert dice > 0.85


def test_a_lesion_without_a_voxel_on_the_grid_is_left_out_and_said(two_blobs):
    ct = two_blobs["CT"]
    elsewhere = replace(ct.grid, origin=(5000.0, 0.0, 0.0))
    case = align({"CT": ct}, reference_mask=Volume(np.ones(ct.array.shape, np.uint8), elsewhere, None, {"name": "GTV"}))
    assert case.reference_mask is None
    assert has(quality_report(case), "Warning: the reference mask GTV has no voxel on the images' grid")


def test_always_registers_even_what_fits(two_blobs):
    case = align(two_blobs, register="always")
    assert "as asked" in case.alignment["PET"].notes[0]
    assert shift_mm_and_rotation_degrees(case, "PET")[0] < 1


def test_shift_and_rotation_are_those_of_the_matrix(two_blobs):
    case = align(two_blobs)
    quarter_turn = np.eye(4)
    quarter_turn[:2, :2] = [[0, -1], [1, 0]]
    middle = case.grid.to_physical((np.array(case.grid.size) - 1) / 2)
    quarter_turn[:3, 3] = middle - quarter_turn[:3, :3] @ middle + [3.0, 4.0, 0.0]
    turned = {**case.alignment, "PET": replace(case.alignment["PET"], moving_to_reference=quarter_turn)}
    assert shift_mm_and_rotation_degrees(replace(case, alignment=turned), "PET") == pytest.approx((5.0, 90.0))


def test_the_report_names_what_is_missing_what_was_assumed_and_poor_cover(two_blobs):
    half_off = shifted(two_blobs["PET"], (30.0, 0.0, 0.0))
    noted = half_off.with_array(half_off.array, notes=["values taken as SUVbw, the file does not say"], patient_id="Jo")
    report = quality_report(align({"CT": two_blobs["CT"], "PET": noted}, register="never"))
    assert has(report, "There is no MR image.")
    assert not has(report, "There is no PET")
    assert has(report, "PET: values taken as SUVbw, the file does not say.")
    assert has(report, "Warning: PET covers only 38 %")  # 9 of 24 columns
    assert not has(report, "Jo")
    assert all(line.endswith((".", "!")) for line in report)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"volumes": {}}, "no image"),
        ({"reference": "MR_T1"}, "reference 'MR_T1'"),
        ({"register": "sometimes"}, "register='sometimes'"),
    ],
)
def test_refuses_what_it_cannot_align(two_blobs, change, message):
    with pytest.raises(InputError, match=message):
        align(**{"volumes": two_blobs, **change})


def test_refuses_an_unknown_modality_key(two_blobs):
    with pytest.raises(InputError, match="modality 'XRAY'"):
        align({"XRAY": two_blobs["CT"]})


def test_one_image_alone_is_registered_when_it_is_named(two_blobs):
    other = replace(two_blobs["PET"], modality="MR_T2")
    case = align({**two_blobs, "PET": shifted(two_blobs["PET"], (6, 0, 0)), "MR_T2": other}, register="PET")
    assert case.alignment["PET"].registered and not case.alignment["MR_T2"].registered


@pytest.mark.parametrize("wrong", ["sometimes", "CT", "PET,MR_T1", ""])
def test_what_cannot_be_registered_is_refused_with_what_can(two_blobs, wrong):
    with pytest.raises(InputError, match="or of the images PET"):
        align(two_blobs, register=wrong)


def drawn(grid, voxels):
    array = np.zeros(grid.shape, np.uint8)
    array[12, 12, :voxels] = 1
    return Volume(array, grid)


def test_masks_of_several_annotators_follow_the_images_and_their_majority_is_scored_against(two_blobs):
    grid = two_blobs["CT"].grid
    masks = {f"reader {n}": drawn(grid, n) for n in (4, 5, 6)}
    case = align(two_blobs, references=masks)
    assert {name: int(mask.array.sum()) for name, mask in case.references.items()} == {
        "reader 4": 4,
        "reader 5": 5,
        "reader 6": 6,
    }
    assert case.reference_mask.array.sum() == 5


def test_a_majority_that_holds_nothing_is_told(two_blobs):
    """Two readers who drew different things: nothing is scored against, and a Dice of 0 says nothing of the model."""
    here = drawn(two_blobs["CT"].grid, 4)
    several = align(two_blobs, references={"reader 1": here, "reader 2": here.with_array(np.roll(here.array, 3, 0))})
    assert not several.reference_mask.array.any()
    assert any("their majority is empty" in note for note in several.notes)
    agreed = align(two_blobs, references={"reader 1": here, "reader 2": here})
    assert not any("empty" in note for note in agreed.notes)


def test_an_annotators_mask_off_the_images_is_left_out_with_a_note(two_blobs):
    grid = two_blobs["CT"].grid
    masks = {"reader 1": drawn(grid, 4), "reader 2": shifted(drawn(grid, 4), (500.0, 0.0, 0.0))}
    case = align(two_blobs, references=masks)
    assert list(case.references) == ["reader 1"]
    assert any("has no voxel on the images' grid" in note for note in case.notes)
