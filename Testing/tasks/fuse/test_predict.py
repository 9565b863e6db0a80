"""One case from its volumes to its fusion, with a fuser that averages: settings, sources, regions, scores."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.presets import PRESETS
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.tasks.fuse import FusionSettings
from DiffuFuseMedLib.tasks.fuse.predict import Wanted, fuse_case, settings_of


@pytest.fixture(scope="module")
def some_slices(a_real_folder):
    """Eight axial slices of the real case, through the lesion."""
    return load_case(a_real_folder).cropped((12, 0, 0), (20, 42, 53))


@pytest.fixture
def fused(some_slices, an_average_fuser):
    """A function of Wanted's fields, sliders among them: the Fusion of the slices, or of another case."""

    def fuse(case=some_slices, alpha=0.5, **others):
        return fuse_case(case, an_average_fuser, Wanted(settings_of(None, {"alpha": alpha}), **others))

    return fuse


@pytest.fixture
def a_mask_file(some_slices, tmp_path):
    """A function of a mask [k, j, i] and a name: its file."""

    def write(mask, name="mask.nrrd"):
        sitk.WriteImage(Volume(mask.astype(np.uint8), some_slices.grid).to_sitk(), str(tmp_path / name))
        return tmp_path / name

    return write


def test_what_is_told_overrides_the_preset_and_the_preset_the_defaults():
    bone = PRESETS["bone-tumor"]
    settings = settings_of(bone, {"alpha": 0.25, "beta": None, "lambda2": 3.0, "seed": 9})
    assert (settings.alpha, settings.beta, settings.gamma) == (0.25, bone.beta, bone.gamma)
    assert settings.lambdas == (bone.lambdas[0], 3.0, bone.lambdas[2])
    assert (settings.ct_window_hu, settings.seed) == (bone.ct_window_hu, 9)
    assert settings_of(None, {"alpha": None}) == FusionSettings()


def test_a_value_out_of_its_range_is_refused():
    with pytest.raises(InputError, match=r"lambda1=-1, wanted a number from 0 to 10"):
        settings_of(None, {"lambda1": -1})


def test_a_slider_at_0_overrides_the_default():
    assert settings_of(None, {"alpha": 0.0}).alpha == 0


def test_a_mask_file_takes_the_place_of_the_automatic_bone(fused, a_mask_file, some_slices):
    bone = some_slices.volumes["CT"].array > 900
    automatic, given = fused(), fused(files={"bone": a_mask_file(bone)})
    np.testing.assert_array_equal(given.rois.bone, bone)
    assert automatic.rois.bone.sum() > 1.2 * bone.sum()
    assert "a mask file from the user" in given.rois.source["bone"]
    assert "model thresholds" in automatic.rois.source["bone"]


def test_the_drawn_lesion_is_no_input(fused, some_slices):
    fusion = fused()
    assert some_slices.reference_mask.array.any()
    assert not fusion.rois.lesion.any()
    assert "No lesion's border was drawn into the fused image: none was given." in fusion.notes
    assert "The lesion region is empty." not in fusion.notes


def test_the_lesion_is_the_predictions_unless_a_file_is_given(fused, a_mask_file, some_slices):
    drawn = some_slices.reference_mask.array > 0
    predicted = np.roll(drawn, 3, axis=2)
    of_model, of_user = fused(lesion=predicted), fused(lesion=predicted, files={"lesion": a_mask_file(drawn)})
    np.testing.assert_array_equal(of_model.rois.lesion, predicted)
    np.testing.assert_array_equal(of_user.rois.lesion, drawn)
    assert of_model.rois.source["lesion"] == "the model's segmentation"
    assert fused(lesion=np.zeros_like(drawn)).roi_ml["lesion"] == 0


def test_the_trivial_fusions_stand_behind_the_fused_image(fused):
    copy, half = fused(alpha=1.0).metrics, fused(alpha=0.5).metrics
    assert next(iter(copy)) == "fused"
    assert {"average", "maximum", "mri copy", "laplacian pyramid"} < set(copy)
    # With alpha 1 this fuser gives the MR itself, with 0.5 the average.
    assert copy["fused"] == pytest.approx(copy["mri copy"], abs=1e-6, nan_ok=True)
    assert half["fused"] == pytest.approx(half["average"], abs=1e-6, nan_ok=True)
    assert copy["fused"]["soft_ssim_mri"] > half["fused"]["soft_ssim_mri"] + 0.1


def test_the_roi_copy_stands_on_the_models_regions_and_the_score_on_others(fused, a_mask_file, some_slices):
    # A bone of the user's is the same on both sides, and the copy of the CT in it is flawless: 60 dB is the cap.
    given = fused(files={"bone": a_mask_file(some_slices.volumes["CT"].array > 900)})
    assert given.metrics["roi copy"]["bone_psnr_ct"] == 60
    assert fused().metrics["roi copy"]["bone_psnr_ct"] < 50


def test_soft_tissue_that_the_mr_does_not_show_is_not_scored(fused, some_slices):
    blind = {**some_slices.valid, "MR_T1": some_slices.valid["MR_T1"].copy()}
    blind["MR_T1"][:, 10:] = False  # whatever lies there, the score is that of the rest
    seen, half = fused(alpha=0.7), fused(case=replace(some_slices, valid=blind), alpha=0.7)
    assert half.metrics["fused"]["soft_ssim_mri"] != pytest.approx(seen.metrics["fused"]["soft_ssim_mri"], abs=1e-4)
    assert half.metrics["fused"]["bone_psnr_ct"] == pytest.approx(seen.metrics["fused"]["bone_psnr_ct"], nan_ok=True)


def test_one_mr_is_chosen_and_the_others_are_said_to_be_left_out(fused, some_slices):
    second = replace(
        some_slices.volumes["MR_T1"], modality="MR_T2", array=some_slices.volumes["MR_T1"].array[..., ::-1]
    )
    case = replace(
        some_slices,
        volumes={**some_slices.volumes, "MR_T2": second},
        valid={**some_slices.valid, "MR_T2": some_slices.valid["MR_T1"]},
    )
    by_default, told = fused(case=case, alpha=1.0), fused(case=case, alpha=1.0, mri="MR_T2")
    assert (by_default.mri, told.mri) == ("MR_T1", "MR_T2")
    np.testing.assert_allclose(by_default.fused.image, told.fused.image[..., ::-1])
    assert "MR_T1 was not used: the fusion takes one MR, here MR_T2." in told.notes


def test_refuses_a_case_that_lacks_a_source(fused, some_slices):
    with pytest.raises(InputError, match="Given a case with PET, MR_T1, wanted a CT and an MR"):
        fused(case=some_slices.only(["PET", "MR_T1"]))
    with pytest.raises(InputError, match="one that the case has"):
        fused(mri="MR_T2")


def test_refuses_an_empty_mask_file(fused, a_mask_file, some_slices):
    with pytest.raises(InputError, match=r"^Given "):
        fused(files={"soft": a_mask_file(np.zeros(some_slices.grid.shape, bool))})


def test_tells_how_far_it_is(some_slices, an_average_fuser):
    told = []
    fuse_case(some_slices, an_average_fuser, Wanted(FusionSettings()), lambda share, what: told.append((share, what)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert told[-1][1] == "scoring"
    assert 0 < shares[0] < shares[-1] < 1
