"""`diffufusemed probe`: synthetic tumors in a case, and which of them a segmenter finds."""

import json
import shutil

import pytest


@pytest.fixture
def installed(models, synthesizers, inpainters, tmp_path, monkeypatch, command):
    """A segmenter, a synthesizer and an inpainter in one folder, all untrained."""
    folder = tmp_path / "models"
    for source in (models, synthesizers, inpainters):
        shutil.copytree(source, folder, dirs_exist_ok=True)
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(folder))
    return folder


def ids(folder, system):
    records = [json.loads((path / "model.json").read_text(encoding="utf-8")) for path in folder.iterdir()]
    return next(record["id"] for record in records if record["system"].startswith(system))


def options(installed):
    drawer, filler = ids(installed, "diff4mmlits-synth"), ids(installed, "diff4mmlits-inpainter")
    return "--model", "tiny", "--synthesizer", drawer, "--inpainter", filler, "--device", "cpu", "--samples", 1


def test_a_page_and_a_record_tell_what_was_found(command, installed, write_case, with_tumor, tmp_path, page_of):
    case = write_case(with_tumor("thigh", 5, 4.0).cropped((12, 6, 4), (28, 58, 56)), tmp_path / "case")
    told = ("--diameters", "12", "--contrasts", "1,0.5", "--n", 1)
    code, said, err = command("probe", case, "--out", tmp_path / "out", *told, *options(installed))
    assert code == 0, err
    assert "of 1" in said and "mL are called lesion" in said and "was taken out by" in err
    record = json.loads((tmp_path / "out" / "probe.json").read_text(encoding="utf-8"))
    assert record["synthetic"] is True and record["segmenter"]["id"] == "tiny"
    assert [(t["diameter_mm"], t["contrast"]) for t in record["tumors"]] == [(12.0, 1.0), (12.0, 0.5)]
    page = page_of(tmp_path / "out" / "probe.html")
    assert "These tumors are synthetic" in page.text
    given = tmp_path / "out" / "probe.json"
    told = ("--model", "tiny", "--samples", 1, "--no-fusion", "--device", "cpu", "--probe", given)
    code, _, err = command("run", case, "--out", tmp_path / "run", *told)
    assert code == 0, err
    page = page_of(tmp_path / "run" / "report.html")
    assert "What tiny finds of synthetic tumors" in page.text and "12 0.5" in page.text
    code, _, err = command("run", case, "--out", tmp_path / "fewer", *told, "--modalities", "CT,PET")
    assert code != 0 and "a probe of" in err and not (tmp_path / "fewer").exists()
    code, _, err = command("run", tmp_path, "--out", tmp_path / "many", *told, "--cohort")
    assert code != 0 and "--probe for many cases" in err


def test_what_found_no_room_is_told_on_the_console_and_in_the_record(
    command, installed, write_case, with_tumor, tmp_path, page_of
):
    case = write_case(with_tumor("thigh", 5, 4.0).cropped((12, 6, 4), (28, 58, 56)), tmp_path / "case")
    told = ("--diameters", "12,12,250", "--contrasts", "1", "--n", 1)
    code, said, err = command("probe", case, "--out", tmp_path / "out", *told, *options(installed))
    assert code == 0 and "of 1" in said, err
    sentence = "1 of 250 mm and contrast 1 found no room in the case."
    assert sentence in said
    assert sentence in json.loads((tmp_path / "out" / "probe.json").read_text(encoding="utf-8"))["notes"]
    assert page_of(tmp_path / "out" / "probe.html").text.count(sentence) == 1


@pytest.mark.parametrize("wrong", [("--diameters", "ten"), ("--diameters", "1"), ("--contrasts", "0,1")])
def test_sizes_that_cannot_be_are_refused_before_anything_is_read(command, installed, tmp_path, wrong):
    code, _, told = command("probe", tmp_path / "nowhere", "--out", tmp_path / "out", *wrong, *options(installed))
    assert code != 0 and wrong[1] in told.replace(", ", ",")
    assert not (tmp_path / "out").exists()
