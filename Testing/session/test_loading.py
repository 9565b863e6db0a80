import shutil
import threading

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io import study
from DiffuFuseMedLib.mrml import volumes
from DiffuFuseMedLib.session import UNUSED, ReaderApart, Topic
from DiffuFuseMedLib.session.reading import ReadHere


@pytest.fixture(scope="module")
def folder(sarcoma, write_case, tmp_path_factory):
    """The sarcoma's images, and one that nobody knows."""
    where = write_case(sarcoma, tmp_path_factory.mktemp("patient") / "STS_010")
    shutil.copy(where / "MR_T1.nii.gz", where / "weird.nii.gz")
    return where


def opened(session):
    session.pump_until(lambda: not session.view_state.loading)
    return session


def test_a_folder_is_read_on_a_thread_and_its_roles_and_fit_are_told(told, folder, sarcoma):
    told.open(folder)
    assert told.view_state.loading == "reading the images"
    assert told.case is sarcoma  # until the new one is there
    opened(told)
    view_state = told.view_state
    assert view_state.modalities == ("CT", "PET", "MR_T1")
    assert view_state.sources == {key: f"{key}.nii.gz" for key in view_state.modalities}
    assert "weird.nii.gz" in view_state.unread
    assert view_state.alignment.startswith("on the grid of CT; PET as placed, MI ")
    assert view_state.quality
    for key in view_state.modalities:
        node = told.nodes[key]
        np.testing.assert_array_equal(volumes.array_of(node), told.case.volumes[key].array)
    assert told.engine.last("open").values["case"] is told.case


def test_what_goes_on_while_a_folder_is_opened_is_told_in_words_and_share(told, folder):
    steps = []
    told.listen(lambda _: steps.append((told.view_state.loading_share, told.view_state.loading)), Topic.CASE)
    told.open(folder)
    opened(told)
    words = [
        "reading the images",
        "looking at CT",
        "aligning PET with CT",
        "aligning MR_T1 with CT",
        "handing the case to the engine",
    ]
    assert list(dict.fromkeys(said for _, said in steps)) == [*words, ""]
    shares = [share for share, said in steps if said]
    assert shares == sorted(shares) and (shares[0], shares[-1]) == (0.0, 0.8)
    assert told.engine.staged[-1] is told.case  # written on the thread that read it


def test_a_folder_that_is_no_longer_wanted_leaves_nothing_with_the_engine(told, folder, sarcoma):
    told.open(folder)
    told._loading.abandon()
    told.pump_until(lambda: told.engine.unstaged)
    assert told.case is sarcoma
    assert told.engine.unstaged == [{"staged": 1}]


def test_the_scene_shows_the_arrays_of_the_case_themselves(told, folder):
    told.open(folder)
    opened(told)
    for key, volume in told.case.volumes.items():
        assert np.shares_memory(volumes.array_of(told.nodes[key]), volume.array)


def test_what_the_reader_says_an_image_is_counts(told, folder):
    told.open(folder, {"weird.nii.gz": "MR_T2", "PET.nii.gz": UNUSED, "of_another_folder.nii.gz": "CT"})
    opened(told)
    assert told.view_state.modalities == ("CT", "MR_T1", "MR_T2")
    assert told.view_state.sources["MR_T2"] == "weird.nii.gz"
    assert "PET.nii.gz" in told.view_state.unread
    assert told.fusion.mris() == ["MR_T1", "MR_T2"]
    assert told.messages == []


def test_what_is_not_used_is_not_read(told, folder, monkeypatch):
    read = []
    monkeypatch.setattr(
        study, "read_volume", lambda path, key, plain=study.read_volume: read.append(key) or plain(path, key)
    )
    told.open(folder, {"PET.nii.gz": UNUSED})
    opened(told)
    assert "CT" in read and "PET" not in read


def test_a_folder_that_cannot_be_read_keeps_the_case_and_names_its_images(told, sarcoma, tmp_path):
    sitk.WriteImage(sitk.Image(8, 8, 8, sitk.sitkFloat32), str(tmp_path / "strange.nii.gz"))
    nodes = dict(told.nodes)
    told.open(tmp_path)
    opened(told)
    assert told.view_state.message.level == "error"
    assert told.view_state.unread == ("strange.nii.gz",)
    assert (told.case, told.nodes) == (sarcoma, nodes)
    assert all(told.scene.IsNodePresent(node) for node in nodes.values())
    assert told.folder == tmp_path


def test_an_error_is_off_the_screen_once_a_case_is_open(told, sarcoma, tmp_path):
    told.open(tmp_path / "missing")
    told.pump_until(lambda: told.view_state.message and told.view_state.message.level == "error")
    told.open_case(sarcoma)
    told.pump()
    assert told.view_state.message is None or told.view_state.message.level != "error"


def test_only_the_folder_that_was_asked_for_last_is_opened(told, folder, tmp_path):
    told.open(folder)
    told.open(tmp_path / "missing")
    opened(told)
    told.pump(0.3)
    assert told.view_state.message.level == "error"
    assert told.view_state.modalities == ("CT", "PET", "MR_T1")
    assert len(told.engine.of("open")) == 1


def test_an_engine_without_room_keeps_the_case(told, sarcoma, monkeypatch):
    from DiffuFuseMedLib.engine.client.engine import EngineError

    def full(*_, **__):
        raise EngineError("no_space", "The disk is full.")

    monkeypatch.setattr(told.engine, "start_open", full)
    told.open_case(sarcoma.only(("CT",)))
    assert told.case is sarcoma
    assert told.view_state.message.sentence == "The disk is full."


def test_volumes_of_the_host_are_opened_under_their_keys(told, sarcoma):
    told.open_volumes({key: sarcoma.volumes[key] for key in ("CT", "MR_T1")}, "from nodes")
    opened(told)
    assert (told.view_state.case_name, told.view_state.modalities) == ("from nodes", ("CT", "MR_T1"))
    assert told.folder is None
    assert told.parameters.foreground == ""


def test_what_is_still_being_read_when_the_case_is_forgotten_is_not_opened(told, folder):
    told.open(folder)
    told.forget()
    told.pump(1.5)
    assert told.case is None
    assert (told.view_state.case_name, told.view_state.loading, told.view_state.fusion) == ("", "", "none")
    assert told.nodes == {}


def test_a_fault_of_the_program_is_told_without_its_insides(told):
    told.complain(ZeroDivisionError("x"))
    assert "inside the program" in told.view_state.message.sentence
    told.complain(InputError("One sentence."))
    assert (told.view_state.message.sentence, told.view_state.message.number) == ("One sentence.", 2)


def test_a_session_reads_its_folders_the_way_it_was_told(told, folder, sarcoma, monkeypatch):
    """As the page does, whose files are read in a process apart."""
    reader = ReaderApart()
    monkeypatch.setattr(told._context, "reading", reader)
    monkeypatch.setattr(study, "read_volume", None)  # no image is read in this process
    told.open(folder)
    opened(told)
    reader.close()
    assert told.view_state.modalities == ("CT", "PET", "MR_T1")
    assert told.view_state.unread == ("weird.nii.gz",)


class StuckReading(ReadHere):
    """Folders and scenes on a disk that does not answer, until nobody waits for them any more."""

    def __init__(self):
        self.stopped = []

    def folder(self, folder, told):
        return self._wait()

    def scene(self, path, folder, limit_bytes):
        return self._wait()

    def stop(self):
        for stopped in self.stopped:
            stopped.set()

    def _wait(self):
        stopped = threading.Event()
        self.stopped.append(stopped)
        assert stopped.wait(60), "it was not stopped"
        raise InputError("It was stopped.")


def test_what_was_stopped_or_overtaken_holds_no_thread_that_others_wait_for(told, folder, tmp_path, monkeypatch):
    """Else two openings that hang would keep all others, and what keeps the corrections, waiting behind them."""
    with monkeypatch.context() as patch:
        patch.setattr(told._context, "reading", stuck := StuckReading())
        for begin in (*[lambda: told.open(folder)] * 3, lambda: told.open_scene_behind(tmp_path / "a.mrb", None)):
            before = list(stuck.stopped)
            begin()
            assert all(stopped.is_set() for stopped in before)
            told.pump_until(lambda before=before: len(stuck.stopped) > len(before))
        told.stop_opening()
        assert all(stopped.is_set() for stopped in stuck.stopped)
        assert told.view_state.loading == ""
    told.open(folder)
    opened(told)
    assert told.view_state.modalities == ("CT", "PET", "MR_T1")
    assert told.view_state.message is None
