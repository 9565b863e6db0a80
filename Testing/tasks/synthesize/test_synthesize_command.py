"""The command `synthesize`: folders of files, one line each, and which case the tumors were drawn into."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.load import load_case


@pytest.fixture
def undrawn(a_thigh):
    """The thigh with a mask file in which nobody drew anything."""
    return replace(a_thigh, reference_mask=Volume(np.zeros(a_thigh.grid.shape, np.uint8), a_thigh.grid))


@pytest.fixture
def both(synthesizers, inpainters, tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copytree(synthesizers / "tiny-synthesizer", folder / "tiny-synthesizer")
    shutil.copytree(inpainters / "tiny-inpainter", folder / "tiny-inpainter")
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(folder))
    return folder


@pytest.fixture
def ran(command, both, tmp_path):
    def run(case, *told):
        return command("synthesize", case, "--out", tmp_path / "out", "--model", "tiny-synthesizer", *told)

    return run


def record(tmp_path, number=1):
    return json.loads((tmp_path / "out" / f"synthetic_{number:02d}" / "synthetic.json").read_text())


def test_every_tumor_gets_a_folder_of_its_own_and_the_seed_counts_on(ran, undrawn, write_case, tmp_path):
    write_case(undrawn, tmp_path / "case")
    code, out, err = ran(tmp_path / "case", "--n", 2, "--seed", 5)
    assert code == 0, err
    assert "synthetic_02" in out and "no patient has it" in out and "as it is" in err
    assert [record(tmp_path, n)["provenance"]["seed"] for n in (1, 2)] == [5, 6]
    case = load_case(tmp_path / "out" / "synthetic_01", register="never")
    assert set(case.modalities) == {"CT", "PET", "MR_T1"} and (case.reference_mask.array > 0).any()


def test_what_an_earlier_run_left_is_told(ran, undrawn, write_case, tmp_path):
    write_case(undrawn, tmp_path / "case")
    (tmp_path / "out" / "synthetic_02").mkdir(parents=True)
    _, _, err = ran(tmp_path / "case", "--n", 1)
    assert "In out there is synthetic_02 of an earlier run too" in err
    (tmp_path / "out" / "synthetic_03").mkdir()
    _, _, err = ran(tmp_path / "case", "--n", 1)
    assert "there is synthetic_02 to synthetic_03 of an earlier run" in err
    _, _, err = ran(tmp_path / "case", "--n", 3)
    assert "earlier run" not in err


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_that_cannot_be_is_refused(ran, tmp_path, seed):
    code, _, err = ran(tmp_path / "nowhere", "--seed", seed)
    assert code == 2 and "--seed" in err and "Traceback" not in err


def test_the_cases_own_lesion_is_taken_out_where_an_inpainter_is_there(ran, with_tumor, write_case, tmp_path):
    mine = with_tumor("mine", 5, 20.0)
    write_case(mine, tmp_path / "case")
    lesion = mine.reference_mask.array > 0
    code, _, err = ran(tmp_path / "case", "--n", 1, "--inpainter", "tiny-inpainter")
    assert code == 0 and "taken out by tiny-inpainter" in err
    assert any("taken out" in note for note in record(tmp_path)["notes"])
    made = load_case(tmp_path / "out" / "synthetic_01", register="never")
    assert np.median(made.volumes["PET"].array[lesion]) < 15


@pytest.mark.parametrize("told", [("--keep-lesion",), ("--inpainter", "not-there")])
def test_else_it_stays_and_that_is_told(ran, with_tumor, write_case, tmp_path, told):
    mine = with_tumor("mine", 4, 20.0)
    write_case(mine, tmp_path / "case")
    lesion = mine.reference_mask.array > 0
    code, _, err = ran(tmp_path / "case", "--n", 1, *told)
    assert code == 0 and "elsewhere" in err, err
    made = load_case(tmp_path / "out" / "synthetic_01", register="never")
    assert np.median(made.volumes["PET"].array[lesion]) > 15
    assert not (made.reference_mask.array > 0)[lesion].any()


def test_a_model_that_makes_no_tumors_is_refused(ran, undrawn, write_case, tmp_path):
    write_case(undrawn, tmp_path / "case")
    code, _, err = ran(tmp_path / "case", "--model", "tiny-inpainter")
    assert code == 2 and "makes no tumors" in err and not (tmp_path / "out").exists()
