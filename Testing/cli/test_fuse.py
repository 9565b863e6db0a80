"""`diffufusemed fuse`, and `run` with its fusion: files, words and refusals on the real case.

The fuser here averages CT and MR: what is tested is all that stands around it.
"""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import input_error
from DiffuFuseMedLib.core.presets import DEFAULT_PRESET, PRESETS, save_preset
from DiffuFuseMedLib.tasks.fuse import Fuser

FILES = {"fused.nrrd", "fusion_uncertainty.nrrd", "fusion.json", "report.html"}


@pytest.fixture(autouse=True)
def averaging(an_average_fuser, monkeypatch):
    monkeypatch.setattr(Fuser, "shipped", lambda device="cpu": an_average_fuser.shipped(device))


@pytest.fixture
def refused(command, a_real_folder, tmp_path):
    """A function of options: the one sentence with which fusing the real case is refused; nothing was written."""

    def run(*options, folder=a_real_folder):
        code, out, err = command("fuse", folder, "--out", tmp_path / "out", *options)
        sentences = [line for line in err.splitlines() if line.startswith("Given ")]
        assert (code, out, len(sentences)) == (2, "", 1), err
        assert "Traceback" not in err
        assert not (tmp_path / "out").exists()
        return sentences[0]

    return run


@pytest.fixture
def without(a_real_folder, tmp_path):
    """A function of file names: the real case without them."""
    return lambda *names: shutil.copytree(
        a_real_folder, tmp_path / "STS_010", ignore=lambda *_: [f"{name}.nii.gz" for name in names]
    )


def record_of(folder):
    return json.loads((folder / "fusion.json").read_text(encoding="utf-8"))


def array_of(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_fuse_writes_what_every_option_asked_for(command, a_real_folder, tmp_path):
    out, bone_file = tmp_path / "deep" / "out", tmp_path / "bone.nrrd"
    ct = sitk.ReadImage(str(a_real_folder / "CT.nii.gz"))
    sitk.WriteImage(sitk.Cast(ct > 700, sitk.sitkUInt8), str(bone_file))
    save_preset(replace(PRESETS["bone-tumor"], name="mine"), tmp_path / "mine.json")
    code, said, err = command(
        "fuse", a_real_folder, "--out", out, "--preset", tmp_path / "mine.json", "--alpha", 0.25, "--lambda2", 3,
        "--tau", 4, "--lesion", a_real_folder / "GTV.nii.gz", "--bone", bone_file, "--steps", 3, "--samples", 5,
        "--mr", "MR_T1", "--seed", 9,
    )  # fmt: skip
    assert code == 0, err
    assert {path.name for path in out.iterdir()} == FILES
    settings, record = record_of(out)["settings"], record_of(out)
    assert (settings["alpha"], settings["beta"], settings["lambdas"], settings["tau_mm"]) == (
        0.25,
        0.95,
        [1, 3, 0.5],
        4,
    )
    assert (settings["steps"], settings["samples"], settings["guided"], settings["seed"]) == (3, 5, False, 9)
    assert settings["ct_window_hu"] == [-200, 1300]
    assert (record["preset"]["name"], record["preset"]["alpha"], record["seed"]) == ("mine", 0.7, 9)
    assert record["rois"]["bone"]["source"] == record["rois"]["lesion"]["source"] == "a mask file from the user"
    first, second, *_, last = said.splitlines()
    assert second == (
        "The border of the lesion that was given was drawn into the gray values of the fused image, with gamma 0.6."
    )
    assert first.startswith("Fused CT and MR_T1 with alpha 0.25, beta 0.95, gamma 0.6: soft ")
    assert last == f"4 files in {out}; open {out / 'report.html'}"
    image = sitk.ReadImage(str(out / "fused.nrrd"))
    assert image.GetSize() == ct.GetSize()
    assert image.GetOrigin() == pytest.approx(ct.GetOrigin(), abs=1e-5)
    assert image.GetMetaData("DiffuFuseMed_student_id") == "average"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--preset", "knee"], "the preset 'knee', wanted one of bone-tumor, soft-tissue-sarcoma"),
        (["--preset", "none.json"], "none.json, which cannot be read"),
        (["--alpha", "1.5"], "alpha=1.5, wanted a number from 0 to 1"),
        (["--beta", "nan"], "beta=nan"),
        (["--preset", "bone-tumor", "--gamma", "-1"], "gamma=-1.0"),
        (["--lambda3", "99"], "lambda3=99.0, wanted a number from 0 to 10"),
        (["--tau", "0"], "tau_mm=0, wanted a tolerance above 0 mm"),
        (["--steps", "2", "--guided"], "--steps and --guided, wanted one of them"),
        (["--mr", "MR_T2"], "the MR 'MR_T2', wanted one that the case has (MR_T1)"),
        (["--modalities", "CT,PET"], "a case with CT, PET, wanted a CT and an MR"),
        (["--modalities", "XRAY"], "the modality 'XRAY'"),
        (["--bone", "nothing.nrrd"], "nothing.nrrd"),
        (["--lesion", "nothing"], "'nothing' that is no file"),
        (["--device", "tpu"], "the device 'tpu'"),
    ],
    ids=str,
)
def test_fuse_refuses_in_one_sentence(refused, options, words):
    assert words in refused(*options)


def test_fuse_refuses_a_file_as_its_output_folder(command, a_real_folder, tmp_path):
    (tmp_path / "out").write_text("mine")
    code, _, err = command("fuse", a_real_folder, "--out", tmp_path / "out")
    assert (code, "--out that is a file" in err) == (2, True)
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("missing", ["CT", "MR_T1"])
def test_fuse_refuses_a_case_that_lacks_a_source(refused, without, missing):
    assert f"the case has no {missing[:2]}" in refused(folder=without(missing))


def test_run_fuses_too_with_the_lesion_it_found(command, a_real_folder, tmp_path):
    out = tmp_path / "out"
    options = ["--model", "tiny", "--samples", 1]
    code, said, _ = command("run", a_real_folder, "--out", out, *options)
    assert code == 0
    record, labels = record_of(out), array_of(out / "segmentation.seg.nrrd")
    voxel_ml = np.prod(record["grid"]["spacing_mm"]) / 1000
    assert record["rois"]["lesion"]["volume_ml"] == pytest.approx(labels.sum() * voxel_ml, rel=0.1)
    assert record["preset"]["name"] == DEFAULT_PRESET == "soft-tissue-sarcoma"  # as in the hosts
    page = (out / "report.html").read_text(encoding="utf-8")
    assert ("Fused image: CT and MR T1" in page, "Lesion segmentation" in page) == (True, True)
    assert said.splitlines()[-1].startswith("11 files in ")
    assert len(list(out.iterdir())) == 11


def test_run_draws_the_border_of_a_lesion_that_nobody_accepted_only_when_told(command, a_real_folder, tmp_path):
    options = ["--model", "tiny", "--samples", 1, "--preset", "soft-tissue-sarcoma"]
    plain, told = tmp_path / "plain", tmp_path / "told"
    _, said, _ = command("run", a_real_folder, "--out", plain, *options)
    assert "No lesion's border was drawn into the fused image" in said
    assert record_of(plain)["settings"]["gamma"] == 0
    _, said, _ = command("run", a_real_folder, "--out", told, *options, "--draw-border")
    assert "The border of the lesion that the model found and no reader has accepted was drawn into" in said
    assert record_of(told)["settings"]["gamma"] == record_of(told)["preset"]["gamma"]
    assert "no reader has accepted" in (told / "report.html").read_text(encoding="utf-8")


def test_run_leaves_the_fusion_out_when_told(command, a_real_folder, tmp_path):
    options = ["--model", "tiny", "--samples", 1, "--no-fusion"]
    code, said, err = command("run", a_real_folder, "--out", tmp_path / "out", *options)
    assert (code, "No fusion" in err, "Fused" in said) == (0, False, False)
    assert not {path.name for path in (tmp_path / "out").iterdir()} & (FILES - {"report.html"})


@pytest.mark.parametrize("missing", ["CT", "MR_T1"])
def test_run_goes_on_without_a_fusion_when_the_case_lacks_a_source(command, without, tmp_path, missing):
    options = ["--model", "tiny", "--samples", 1]
    code, _, err = command("run", without(missing), "--out", tmp_path / "out", *options)
    assert (code, err.count(f"No fusion: the case has no {missing[:2]}.")) == (0, 1)
    assert (tmp_path / "out" / "segmentation.seg.nrrd").is_file()
    assert not (tmp_path / "out" / "fused.nrrd").exists()


def test_run_goes_on_without_a_fusion_when_its_models_are_not_usable(
    command, an_average_fuser, a_real_folder, tmp_path, monkeypatch
):
    def damaged(device="cpu"):
        raise input_error("weights that were changed", "those that were written", "install the model again")

    monkeypatch.setattr(an_average_fuser, "shipped", damaged)
    code, _, err = command("run", a_real_folder, "--out", tmp_path / "out", "--model", "tiny", "--samples", 1)
    assert (code, err.count("No fusion: Given weights that were changed")) == (0, 1)
    assert (tmp_path / "out" / "segmentation.seg.nrrd").is_file()


@pytest.mark.parametrize("options", [["--preset", "knee"], ["--mr", "MR_T2"]], ids=str)
def test_run_refuses_what_it_cannot_fuse_by_before_it_segments(command, a_real_folder, tmp_path, monkeypatch, options):
    monkeypatch.setattr("DiffuFuseMedLib.tasks.segment.predict.predict", lambda *_: pytest.fail("segmented first"))
    code, _, err = command("run", a_real_folder, "--out", tmp_path / "out", "--model", "tiny", *options)
    assert (code, f"{options[1]!r}, wanted one" in err) == (2, True)


def test_help_says_that_a_slider_overrides_the_preset(command):
    _, said, _ = command("fuse", "--help")
    assert "Sliders given override it." in " ".join(said.replace("│", " ").split())


def test_an_image_beside_the_ct_is_told_of_before_anything_is_computed(command, without, tmp_path):
    folder = without("MR_T1")  # so that it ends there, refused
    pet = sitk.ReadImage(str(folder / "PET.nii.gz"))
    pet.SetOrigin(np.add(pet.GetOrigin(), (20, 0, 0)).tolist())
    sitk.WriteImage(pet, str(folder / "PET.nii.gz"))
    code, _, err = command("fuse", folder, "--out", tmp_path / "out")
    assert code == 2 and "Warning: PET does not seem to lie on CT" in err and "to the right" in err
    code, _, err = command("fuse", folder, "--out", tmp_path / "out", "--register", "PET")
    assert code == 2 and "does not seem" not in err
