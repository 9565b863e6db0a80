"""Save, open and export, with an engine that answers when told."""

import json
import os
import shutil
import zipfile
from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.mrml import editing, scenes, segmentations, tables, volumes
from DiffuFuseMedLib.session import saved_case
from slicer import vtkSegmentation

from .conftest import FIRST, SECOND, fuse


def test_a_saved_scene_brings_everything_back(done, sarcoma, answers, tmp_path):
    done.set(alpha=0.33, foreground_opacity=0.6, windows={"CT": "bone"})
    done.switch("MR_T1", True)
    fuse(done, answers, sarcoma, 0.7)
    parameters, view_state = done.parameters, done.view_state
    numbers, gates, regions, prediction = (
        view_state.numbers,
        view_state.gates,
        view_state.regions,
        done.prediction,
    )
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    done.forget()
    done.scene.Clear(False)
    done.set(alpha=0.9)
    assert done.open_scene(tmp_path / "a.mrb")
    done.pump_until(lambda: not view_state.counting)
    assert done.parameters == parameters
    assert (view_state.numbers, view_state.gates, view_state.regions) == (numbers, gates, regions)
    assert (view_state.run, view_state.run_words, view_state.edited) == ("ready", "as saved", True)
    assert (view_state.fusion, view_state.fusion_words, done.fusion.stale_views()) == ("ready", "as saved", {})
    np.testing.assert_array_equal(done.lesion.mask(), done.corrected)
    assert (volumes.array_of(done.nodes["fused"]) == np.float32(0.7)).all()
    back = done.prediction
    for name in ("probability", "labels", "inner", "outer"):
        np.testing.assert_array_equal(getattr(back, name), getattr(prediction, name))
    assert (back.volume_ml, back.sample_volumes_ml) == (prediction.volume_ml, prediction.sample_volumes_ml)
    assert back.uptake == prediction.uptake != {}
    for key, volume in done.case.volumes.items():
        np.testing.assert_array_equal(volume.array, sarcoma.volumes[key].array)
        np.testing.assert_array_equal(done.case.valid[key], sarcoma.valid[key])
    assert done.case.grid.same_as(sarcoma.grid)
    assert segmentations.mask_of(done.nodes["lesion"], editing.OUTSIDE, done.nodes["CT"]).all()  # no region is chosen
    assert "No region is chosen" in done.view_state.no_edit


def with_nodes(path, nodes, above=""):
    """The scene file with further nodes in its .mrml, as desktop Slicer saves it; above: what its images lie under."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    [mrml] = [name for name in members if name.endswith(".mrml")]
    text = members[mrml].decode().replace("</MRML>", f"{nodes}</MRML>")
    text = text.replace('references="display:', f'references="{above}display:')
    members[mrml] = text.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_scene_with_nodes_that_are_not_read_opens_without_them_and_says_so(done, tmp_path):
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    with_nodes(
        tmp_path / "a.mrb",
        '<MarkupsFiducial id="vtkMRMLMarkupsFiducialNode1" name="F" references="storage:f;"/>'
        '<MarkupsFiducialStorage id="f" fileName="/etc/hostname"/>'
        '<LinearTransform id="vtkMRMLTransformNode1" name="T"/>',
    )
    assert done.open_scene(tmp_path / "a.mrb")
    assert done.view_state.message.level == "info"
    assert done.view_state.message.sentence.endswith("not read: MarkupsFiducial 'F', LinearTransform 'T'.")
    assert done.case is not None


def test_a_scene_whose_image_lies_under_a_transform_is_refused_and_the_open_case_stays(done, tmp_path):
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    with_nodes(tmp_path / "a.mrb", '<LinearTransform id="t" name="moved"/>', "transform:t;")
    case = done.case
    assert not done.open_scene(tmp_path / "a.mrb")
    assert "under a transform" in done.view_state.message.sentence
    assert done.case is case


def test_the_engine_gets_the_saved_case_with_its_lesion_and_fuses_nothing_that_is_there(
    done, tmp_path, answers, sarcoma
):
    done.accept_lesion()
    fuse(done, answers, sarcoma)
    done.persistence.save_scene(tmp_path / "a.mrb")
    asked = len(done.engine.asked)
    done.open_scene(tmp_path / "a.mrb")
    done.pump(0.8)
    assert [a.kind for a in done.engine.asked[asked:]] == ["close", "open"]
    np.testing.assert_array_equal(done.engine.last("open").values["lesion"], done.corrected)


def test_a_fused_volume_that_was_saved_in_the_middle_is_not_taken_for_the_whole(done, tmp_path, answers, sarcoma):
    done.set(alpha=0.2)
    for asked in done.engine.waiting("slice"):
        asked.give(answers["picture"](asked, sarcoma, 0.2))
    done.pump()
    done.persistence.save_scene(tmp_path / "a.mrb")
    done.open_scene(tmp_path / "a.mrb")
    assert done.view_state.fusion == "working"
    assert len(done.fusion.stale_views()) == 3
    assert {a.values["settings"]["alpha"] for a in done.engine.waiting("slice")} == {0.2}


def test_nothing_decided_asks_vtk_for_no_segment_that_is_not_there():
    segmentation, complaints = vtkSegmentation(), []
    for event in ("ErrorEvent", "WarningEvent"):
        segmentation.AddObserver(event, lambda _, event: complaints.append(event))
    saved_case.write_kept(None, {"contours": SimpleNamespace(GetSegmentation=lambda: segmentation)}, None)
    assert complaints == []


def test_what_was_decided_in_earlier_lists_is_kept_in_the_scene(done, answers, sarcoma, tmp_path):
    kept = done.review.settle().copy()
    other = np.s_[4:12, 15:35, 10:30]
    done.run()
    asked = [a for a in done.engine.waiting("segment") if a.progress][-1]
    asked.give(answers["prediction"](asked, sarcoma, (other, FIRST, SECOND), ()))
    done.pump()
    assert done.view_state.regions == ()
    done.persistence.save_scene(tmp_path / "a.mrb")
    done.open_scene(tmp_path / "a.mrb")
    np.testing.assert_array_equal(done.review.kept, kept)


def test_the_worklist_is_a_table_for_whoever_opens_the_scene(done, tmp_path):
    done.persistence.save_scene(tmp_path / "a.mrb")
    rows = tables.rows_of(tables.table_of(done.scene))
    assert [row["status"] for row in rows] == ["corrected", "open"]
    assert rows[0]["changed_voxels"] == 160


def test_a_scene_of_another_program_is_refused_and_the_case_stays(done, a_foreign_scene, sarcoma):
    done.persistence.saved_by_host()  # so nothing is asked
    nodes, parameters = dict(done.nodes), done.parameters
    for bad in (a_foreign_scene, a_foreign_scene.with_name("no.mrb"), a_foreign_scene.with_suffix(".txt")):
        assert not done.open_scene(bad)
        assert done.view_state.message.level == "error"
    assert done.case is sarcoma
    assert done.nodes == nodes
    assert done.parameters is parameters
    assert all(done.scene.IsNodePresent(node) for node in nodes.values())
    assert done.view_state.fusion == "ready"


@pytest.fixture
def a_foreign_scene(workplaces, tmp_path, sarcoma):
    """Slicer's own, with a volume; and a file beside it that is none."""
    (tmp_path / "foreign.txt").write_text("no scene", encoding="utf-8")
    other = workplaces(None).scene
    volumes.add_volume(other, sarcoma.volumes["CT"].array, sarcoma.grid, "CT", role="CT")
    scenes.save_scene(other, tmp_path / "foreign.mrb")
    return tmp_path / "foreign.mrb"


@pytest.mark.parametrize("damaged", ["DiffuFuseMed case", "DiffuFuseMed prediction", "DiffuFuseMed review"])
def test_a_damaged_record_leaves_the_desk_as_it_was(done, tmp_path, sarcoma, damaged):
    done.persistence.record()
    good = tables.text_of(done.scene, damaged)
    tables.set_text(done.scene, damaged, json.dumps({"format": 1, "modalities": ["CT"]}))
    scenes.save_scene(done.scene, tmp_path / "bad.mrb")
    tables.set_text(done.scene, damaged, good)
    done.persistence.saved_by_host()  # so nothing is asked
    nodes, review, mask = dict(done.nodes), done.review.current, done.lesion.mask()
    assert not done.open_scene(tmp_path / "bad.mrb")
    assert done.view_state.message.level == "error"
    assert (done.case, done.nodes, done.review.current) == (sarcoma, nodes, review)
    assert all(done.scene.IsNodePresent(node) for node in nodes.values())
    np.testing.assert_array_equal(done.lesion.mask(), mask)
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    assert done.open_scene(tmp_path / "a.mrb")
    assert done.view_state.case_name == "STS_010"


def test_a_scene_is_read_while_the_host_goes_on_and_then_takes_its_place(done, tmp_path, sarcoma):
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    undrawn = []
    done.open_scene_behind(tmp_path / "a.mrb", lambda go: undrawn.append(go()))
    assert done.view_state.loading == "reading the scene"
    assert done.case is sarcoma  # until it is read
    done.pump_until(lambda: undrawn)
    assert undrawn == [True] and done.view_state.loading == ""
    assert done.case is not sarcoma and done.view_state.case_name == "STS_010"


def test_a_scene_whose_reading_is_stopped_or_fails_changes_nothing(done, tmp_path, sarcoma):
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    undrawn = []
    done.open_scene_behind(tmp_path / "a.mrb", undrawn.append)
    done.stop_opening()
    done.pump(0.5)
    done.open_scene_behind(tmp_path / "nothing.mrb", undrawn.append)
    done.pump_until(lambda: done.view_state.message and done.view_state.message.level == "error")
    assert (undrawn, done.case, done.view_state.loading) == ([], sarcoma, "")


def test_what_was_corrected_while_a_scene_was_read_is_asked_about(done, tmp_path, sarcoma):
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    undrawn = []
    done.open_scene_behind(tmp_path / "a.mrb", undrawn.append)
    done.accept_lesion()
    done.pump_until(lambda: done.view_state.question)
    assert (undrawn, done.case) == ([], sarcoma)
    done.stay()


def test_parameters_out_of_their_range_in_a_scene_are_not_taken_over(done, tmp_path, caplog):
    done.persistence._write_record()
    node = next(n for n in scenes.nodes_of(done.scene, "vtkMRMLScriptedModuleNode") if n.GetParameter("alpha"))
    node.SetParameter("alpha", "7.0")
    scenes.save_scene(done.scene, tmp_path / "a.mrb")
    done.persistence.saved_by_host()
    assert done.open_scene(tmp_path / "a.mrb")
    assert done.parameters.alpha == 0.9
    assert "do not go together" in caplog.text


def test_the_records_of_a_case_go_with_it(done, sarcoma, tmp_path):
    done.persistence.save_scene(tmp_path / "a.mrb")
    done.open_case(sarcoma)
    assert tables.text_of(done.scene, "DiffuFuseMed review") is None
    assert tables.table_of(done.scene) is None
    done.persistence.save_scene(tmp_path / "b.mrb")
    done.open_scene(tmp_path / "b.mrb")
    assert (done.prediction, done.review.current, done.view_state.run) == (None, None, "none")


def test_a_scene_names_no_path_of_this_machine(done, tmp_path):
    done.persistence.save_scene(tmp_path / "a.mrb")
    with zipfile.ZipFile(tmp_path / "a.mrb") as archive:
        text = b"".join(archive.read(n) for n in archive.namelist() if n.endswith((".mrml", ".txt", ".tsv", ".json")))
    assert str(tmp_path).encode() not in text
    assert b"SampleData" not in text


def test_nothing_to_save_and_a_folder_that_refuses_are_told(told, tmp_path):
    assert not told.persistence.export_behind("seg.nrrd", tmp_path / "a.seg.nrrd", lambda: None)
    assert "run the segmentation first" in told.view_state.message.sentence
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert not told.persistence.save_scene(tmp_path / "file" / "a.mrb")
    assert told.view_state.message.level == "error"
    told.forget()
    assert not told.persistence.save_scene(tmp_path / "a.mrb")
    assert told.view_state.message.level == "info"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_host_that_loaded_the_scene_itself_has_its_case_taken_up(done, tmp_path):
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    done.forget()
    assert not done.adopt_scene()
    scenes.load_scene(done.scene, tmp_path / "a.mrb")
    assert done.adopt_scene()
    np.testing.assert_array_equal(done.lesion.mask(), done.corrected)


def test_an_image_that_is_deleted_by_others_closes_the_case_and_a_lesion_its_result(done):
    done.scene.RemoveNode(done.nodes["lesion"])
    done.lost(done.nodes["lesion"])
    assert (done.view_state.run, done.view_state.numbers, done.view_state.regions) == ("none", (), ())
    assert done.lesion.mask() is None
    done.lost(done.nodes["PET"])
    assert (done.case, done.view_state.modalities) == (None, ())
    assert "deleted" in done.view_state.message.sentence


@pytest.mark.parametrize("recorded_since", [True, False])
def test_a_scene_whose_lesion_was_deleted_opens_without_a_result(done, tmp_path, recorded_since):
    """Also where the scene was saved, by Slicer, before anybody could write that the lesion is gone."""
    done.persistence.record()
    done.scene.RemoveNode(done.nodes["lesion"])
    done.lost(done.nodes["lesion"])
    if recorded_since:
        done.persistence.record()
        assert tables.text_of(done.scene, saved_case.PREDICTION) is None
        assert tables.table_of(done.scene) is None
    scenes.save_scene(done.scene, tmp_path / "a.mrb")
    assert done.open_scene(tmp_path / "a.mrb")
    assert (done.prediction, done.review.current, done.view_state.run) == (None, None, "none")
    done.run()
    assert done.engine.waiting("segment")


class HeldWork:
    """Runs what is to be written only when a test lets it."""

    def __init__(self):
        self.held = []

    def work(self, call):
        future = Future()
        self.held.append((call, future))
        return future

    def let_one_go(self):
        call, future = self.held.pop(0)
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)


@pytest.fixture
def held(a_host, monkeypatch):
    held = HeldWork()
    monkeypatch.setattr(a_host, "write", held.work)
    return held


def test_what_is_saved_behind_is_as_it_was_when_it_was_asked_for(done, held, sarcoma, tmp_path):
    there = []
    assert done.persistence.save_scene_behind(tmp_path / "a.mrb", lambda: there.append("mrb"))
    assert done.persistence.export_behind("fused.nrrd", tmp_path / "a.fused.nrrd", lambda: there.append("fused"))
    assert done.persistence.export_behind("seg.nrrd", tmp_path / "a.seg.nrrd", lambda: there.append("seg"))
    was = done.corrected.copy()
    volumes.set_array(done.nodes["fused"], np.full(sarcoma.grid.shape, 0.1, np.float32))
    segmentations.set_mask(done.nodes["lesion"], "lesion", ~was, done.nodes["CT"])
    while len(there) < 3:
        held.let_one_go()
        done.pump_until(lambda: held.held or len(there) == 3)
    assert (sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.fused.nrrd"))) == 0.5).all()
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.seg.nrrd"))).sum() == was.sum()
    done.open_scene(tmp_path / "a.mrb")
    done.go_on(discard=True)  # what was edited since
    np.testing.assert_array_equal(done.lesion.mask(), was)
    assert (volumes.array_of(done.nodes["fused"]) == 0.5).all()


def test_saving_is_shown_and_a_second_waits_for_its_turn(done, held, tmp_path):
    there = []
    done.persistence.export_behind("nii.gz", tmp_path / "first.nii.gz", lambda: there.append(1))
    done.persistence.export_behind("nii.gz", tmp_path / "second.nii.gz", lambda: there.append(2))
    assert done.view_state.saving == "saving first.nii.gz, then second.nii.gz"
    assert len(held.held) == 1
    held.let_one_go()
    done.pump_until(lambda: there == [1])
    assert done.view_state.saving == "saving second.nii.gz"
    assert done.view_state.message.sentence == "first.nii.gz was saved."
    assert not (tmp_path / "second.nii.gz").exists()
    held.let_one_go()
    done.pump_until(lambda: there == [1, 2])
    assert done.view_state.saving == ""


def test_a_file_that_cannot_be_written_behind_is_a_message_and_the_next_is_written(done, held, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    there = []
    done.persistence.save_scene_behind(tmp_path / "file" / "a.mrb", lambda: there.append("never"))
    done.persistence.export_behind("nii.gz", tmp_path / "b.nii.gz", lambda: there.append("b"))
    held.let_one_go()
    done.pump_until(lambda: held.held)
    assert (done.view_state.message.level, done.view_state.saving) == ("error", "saving b.nii.gz")
    held.let_one_go()
    done.pump_until(lambda: there == ["b"])


def test_what_cannot_be_saved_is_told_at_once(told, tmp_path):
    assert not told.persistence.export_behind("seg.nrrd", tmp_path / "a.seg.nrrd", None)
    assert "run the segmentation first" in told.view_state.message.sentence
    assert told.view_state.saving == ""


def test_the_segment_that_limits_the_editor_is_in_no_file_and_limits_again(done, tmp_path):
    done.review.choose(2)
    node = done.nodes["lesion"]
    assert editing.is_restricted(done.review.editor_node, node)
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    assert editing.is_restricted(done.review.editor_node, node)
    with zipfile.ZipFile(tmp_path / "a.mrb") as archive:
        assert not any(b"DiffuFuseMed.outside" in archive.read(name) for name in archive.namelist())


def test_a_bundle_is_looked_into_only_where_that_is_little_work(tmp_path, monkeypatch):
    """It is done in the session's own process, before the one apart that has limits."""
    monkeypatch.setattr(saved_case, "parsed_nodes", None)  # nothing is parsed
    with zipfile.ZipFile(tmp_path / "several.mrb", "w") as archive:
        for name in ("a.mrml", "b.mrml"):
            archive.writestr(name, "<MRML/>")
    saved_case.check_ours(tmp_path / "several.mrb")
    os.mkfifo(tmp_path / "pipe.mrb")
    saved_case.check_ours(tmp_path / "pipe.mrb")


def changed(path, name, change):
    """The scene file with the content of one member changed."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    [found] = [member for member in members if name in member]
    members[found] = change(members[found])
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)


def in_json(change):
    def edited(content):
        words = json.loads(content)
        change(words)
        return json.dumps(words).encode()

    return edited


DAMAGED = [
    ("case.txt", in_json(lambda words: words["grid"].update(spacing_mm=[5, 5, 5]))),
    ("case.txt", in_json(lambda words: words["meta"].update(CT=None))),
    ("case.txt", lambda _: b"[" * 200_000),
    ("prediction.txt", in_json(lambda words: words["volume_ml"].update(value=-5.0))),
    ("review.txt", in_json(lambda words: words["grid"].update(size=["x"]))),
    ("Lesion.seg.nrrd", lambda content: content.replace(b"Segment0_ID:=lesion", b"Segment0_ID:=other")),
    ("Lesion.seg.nrrd", lambda content: content.replace(b"Segment0_Layer:=0", b"Segment0_Layer:=5")),
]


def test_a_probability_above_one_is_no_result(done, tmp_path):
    assert done.persistence.save_scene(tmp_path / "a.mrb")  # writes the record
    assert saved_case.read_prediction(done.scene, done.case, done.nodes) is not None
    volumes.share_array(done.nodes["probability"], np.full(done.case.grid.shape, 1.5, np.float32))
    with pytest.raises(ValueError, match="probability"):
        saved_case.read_prediction(done.scene, done.case, done.nodes)


def test_a_scene_whose_record_does_not_fit_leaves_the_desk_as_it_was(done, tmp_path):
    """A wrong spacing would make every volume wrong; the others are seen too late once the scene is taken over."""
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    case, nodes = done.case, dict(done.nodes)
    for name, change in DAMAGED:
        shutil.copy(tmp_path / "a.mrb", tmp_path / "b.mrb")
        changed(tmp_path / "b.mrb", name, change)
        assert not done.persistence.open_scene(tmp_path / "b.mrb"), name
        assert "wanted" in done.view_state.message.sentence
        assert done.case is case and done.nodes == nodes
        assert all(done.scene.IsNodePresent(node) for node in nodes.values())
    words = json.loads(tables.text_of(done.scene, saved_case.REVIEW))
    words["grid"]["size"] = [100_000] * 3
    tables.set_text(done.scene, saved_case.REVIEW, json.dumps(words))
    assert saved_case.read_review(done.scene, done.prediction) is None
