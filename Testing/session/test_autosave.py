"""Unsaved corrections are kept each minute and offered where their case is opened again, also after a crash."""

import shutil
import stat

import numpy as np
import pytest
from DiffuFuseMedLib.mrml import segmentations
from DiffuFuseMedLib.session import autosave

CORE, FIRST, SECOND = np.s_[4:12, 15:35, 15:40], np.s_[5:9, 36:44, 20:30], np.s_[5:9, 8:14, 20:30]


@pytest.fixture
def every_s():
    return 0.05


@pytest.fixture
def corrections(tmp_path, monkeypatch, every_s):
    monkeypatch.setattr(autosave, "AUTOSAVE_S", every_s)
    return tmp_path / "state" / "corrections"


def paint(session, box, value=True):
    mask = session.lesion.mask()
    mask[box] = value
    segmentations.set_mask(session.nodes["lesion"], "lesion", mask, session.nodes["CT"])
    session.pump()
    return mask


def answer(session, answers, case):
    asked = [a for a in session.engine.waiting("segment") if a.progress][-1]
    asked.give(answers["prediction"](asked, case, (CORE,), ((FIRST, 0.6), (SECOND, 0.4))))
    session.pump_until(lambda: session.view_state.run == "ready" and not session.view_state.listing)


def files(folder):
    return sorted(folder.glob("*.json")) if folder.is_dir() else []


@pytest.fixture
def kept(done, corrections):
    """With the corrections of `done` in one file."""
    done.pump_until(lambda: files(corrections))
    return done


@pytest.fixture
def after_a_crash(kept, workplaces, sarcoma, corrections, a_host):
    """Another session that opens the same case; the one before never ended."""
    session = workplaces(type(kept.engine)(), corrections=corrections)
    session.open_case(sarcoma)
    session.engine.last("open").give()
    session.pump_until(lambda: session.view_state.recovered)
    return session


def test_corrections_are_kept_in_one_private_file_without_a_name_of_the_patient(kept, corrections, sarcoma):
    kept.pump(0.3)
    (file,) = files(corrections)
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(corrections.stat().st_mode)) == (0o600, 0o700)
    assert sarcoma.name not in file.name + file.read_text()


def test_a_later_edit_is_kept_in_the_same_file(kept, corrections):
    (file,) = files(corrections)
    before = file.read_text()
    paint(kept, SECOND)
    kept.pump_until(lambda: file.read_text() != before)
    assert files(corrections) == [file]


def test_they_come_back_with_their_decisions_on_the_same_run(after_a_crash, kept, answers, sarcoma, corrections):
    assert "never saved" in after_a_crash.view_state.recovered
    after_a_crash.set(samples=3, seed=5)
    after_a_crash.bring_back()
    asked = after_a_crash.engine.waiting("segment")[-1].values
    assert (asked["samples"], asked["seed"], asked["modalities"]) == (8, 0, ["CT", "PET", "MR_T1"])
    answer(after_a_crash, answers, sarcoma)
    np.testing.assert_array_equal(after_a_crash.lesion.mask(), kept.lesion.mask())
    shown = [(row["state"], row["status"]) for row in after_a_crash.view_state.regions]
    assert shown == [(row["state"], row["status"]) for row in kept.view_state.regions]
    assert shown[0][0] == "corrected"
    assert (after_a_crash.view_state.unsaved, after_a_crash.view_state.recovered) == (True, "")
    assert len(files(corrections)) == 1


def test_images_lie_again_where_they_lay_for_the_run_that_was_corrected(
    done, workplaces, answers, sarcoma, corrections
):
    done.set(registered={"MR_T1": (1, 0, 0, 0, 0, 2)})
    done.placement.move("PET", (3, 0, 0, 0, 0, 0))
    done.run()
    done.pump_until(lambda: done.engine.waiting("segment"))
    answer(done, answers, sarcoma)
    drawn = paint(done, SECOND)
    done.close()
    session = workplaces(type(done.engine)(), corrections=corrections)
    session.open_case(sarcoma)
    session.pump_until(lambda: session.view_state.recovered)
    session.bring_back()
    assert session.parameters.moved["PET"] == (3, 0, 0, 0, 0, 0)
    assert session.parameters.registered["MR_T1"] == (1, 0, 0, 0, 0, 2)
    session.pump_until(lambda: session.engine.waiting("segment"))
    assert "moved by the reader" in str(session.case.alignment["PET"].notes)
    answer(session, answers, sarcoma)
    np.testing.assert_array_equal(session.lesion.mask(), drawn)


def test_an_acceptance_of_the_whole_lesion_is_kept_and_comes_back(kept, workplaces, answers, sarcoma, corrections):
    (file,) = files(corrections)
    before = file.read_text()
    kept.accept_lesion()
    kept.pump_until(lambda: file.read_text() != before)
    session = workplaces(type(kept.engine)(), corrections=corrections)
    session.open_case(sarcoma)
    session.pump_until(lambda: session.view_state.recovered)
    session.bring_back()
    answer(session, answers, sarcoma)
    assert session.view_state.accepted
    assert session.review.current.status(2) == "open"


def test_another_run_does_not_get_them_and_they_stay_on_offer(after_a_crash, answers, sarcoma, corrections):
    after_a_crash.set(seed=5)
    after_a_crash.run()
    answer(after_a_crash, answers, sarcoma)
    assert not after_a_crash.lesion.corrected().any()
    paint(after_a_crash, SECOND)
    after_a_crash.pump_until(lambda: len(files(corrections)) == 2)  # new ones never take the place of those
    assert after_a_crash.view_state.recovered


def test_a_saved_scene_sweeps_what_was_brought_back(after_a_crash, answers, sarcoma, corrections, tmp_path):
    after_a_crash.bring_back()
    answer(after_a_crash, answers, sarcoma)
    assert after_a_crash.persistence.save_scene(tmp_path / "a.mrb")
    assert files(corrections) == []


def test_what_is_refused_is_deleted(after_a_crash, corrections):
    after_a_crash.refuse_recovered()
    assert (files(corrections), after_a_crash.view_state.recovered) == ([], "")


@pytest.mark.parametrize("end", ["saved", "undone", "discarded"])
def test_nothing_stays_once_corrections_are_saved_undone_or_discarded(kept, corrections, sarcoma, tmp_path, end):
    if end == "saved":
        assert kept.persistence.save_scene(tmp_path / "a.mrb")
    elif end == "undone":
        while kept.view_state.can_undo:
            kept.undo()
    else:
        kept.open_case(sarcoma)
        kept.go_on(discard=True)
    kept.pump(0.2)
    assert files(corrections) == []


@pytest.mark.parametrize("every_s", [3600.0])
@pytest.mark.parametrize("end", ["closed", "forgotten"])
def test_a_case_that_goes_without_a_word_is_kept_at_once(done, corrections, end):
    paint(done, SECOND)
    done.close() if end == "closed" else done.forget()
    assert len(files(corrections)) == 1


@pytest.mark.parametrize("every_s", [3600.0])
def test_a_file_that_is_written_while_the_scene_is_saved_goes_too(done, corrections, tmp_path):
    paint(done, SECOND)
    done._autosave._keep()
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    done.pump(0.2)
    assert files(corrections) == []


def test_a_folder_that_refuses_is_told_once_and_costs_nothing(done, corrections):
    done.pump_until(lambda: files(corrections))
    shutil.rmtree(corrections)
    corrections.write_text("in the way")
    paint(done, SECOND)
    done.pump(0.5)
    told = [m.sentence for m in done.messages if "cannot be kept" in m.sentence]
    assert len(told) == 1 and "save the scene" in told[0]


def test_a_damaged_file_is_told_and_removed(kept, workplaces, sarcoma, corrections):
    (file,) = files(corrections)
    file.write_text(file.read_text()[:-40])
    session = workplaces(type(kept.engine)(), corrections=corrections)
    session.open_case(sarcoma)
    session.pump_until(lambda: session.messages)
    assert "cannot be read" in session.messages[-1].sentence
    assert (files(corrections), session.view_state.recovered) == ([], "")


def test_another_case_gets_no_offer(kept, workplaces, sarcoma, corrections):
    session = workplaces(type(kept.engine)(), corrections=corrections)
    session.open_case(sarcoma.cropped((0, 0, 0), (15, 40, 50)))
    session.pump(0.3)
    assert session.view_state.recovered == ""


def test_a_scene_of_before_the_crash_gets_the_offer_as_well(done, workplaces, corrections, tmp_path):
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    paint(done, SECOND)
    done.pump_until(lambda: files(corrections))
    session = workplaces(type(done.engine)(), corrections=corrections)
    assert session.open_scene(tmp_path / "a.mrb")
    session.pump_until(lambda: session.view_state.recovered)
