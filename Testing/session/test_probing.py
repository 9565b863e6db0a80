"""A synthetic tumor in place of the patient's images: shown as such, counted, gone without a trace, and in no file."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from DiffuFuseMedLib.core.probed import ModelName, Probed
from DiffuFuseMedLib.mrml import editing, parameters, segmentations, volumes
from DiffuFuseMedLib.mrml.views import composites
from DiffuFuseMedLib.session import export_reasons, healthy, probing, review
from DiffuFuseMedLib.session.parameters import Parameters

CORE = np.s_[4:12, 15:35, 15:40]
CORNER = np.s_[0:2, 0:3, 0:3]  # which nobody has drawn
SPOT = np.s_[2:4, 40:46, 40:46]
HERE_RAS = (10.0, -20.0, 30.0)
HERE_LPS = [-10.0, 20.0, 30.0]
SHIFT = 500.0


@pytest.fixture
def installed(monkeypatch):
    """The records that the registry tells: a synthesizer and an inpainter at first."""
    records = [
        SimpleNamespace(id="drawer", system="diff4mmlits-synthesizer"),
        SimpleNamespace(id="filler", system="diff4mmlits-inpainter"),
    ]
    for module in (probing, healthy):
        monkeypatch.setattr(module, "models", lambda: records)
    return records


@pytest.fixture
def crossed(told, installed):
    """With a crosshair, a lesion of the model and nothing tried yet."""
    told.scene.AddNewNodeByClass("vtkMRMLCrosshairNode").SetCrosshairRAS(*HERE_RAS)
    return told


@pytest.fixture
def found(crossed, answers, sarcoma):
    crossed.run()
    asked = crossed.engine.waiting("segment")[0]
    made = answers["prediction"](asked, sarcoma, (CORE, CORNER), ((np.s_[5:9, 36:44, 20:30], 0.6),))
    asked.give(replace(made, provenance={**made.provenance, "sha256": "a1"}))
    crossed.pump()
    return crossed


def answer(session, case, iou=0.61, recall=0.74, before=0.0, model="sts-panel", sha256="a1", notes=("Taken out.",)):
    """The engine's: every image higher by SHIFT where the tumor is."""
    asked = session.engine.waiting("probe")[-1]
    mask = np.zeros(case.grid.shape, bool)
    mask[SPOT] = True
    arrays = {key: (v.array + SHIFT * mask).astype(v.array.dtype) for key, v in case.volumes.items()}
    diameter, contrast = asked.values["diameter_mm"], asked.values["contrast"]
    row = Probed(diameter, contrast, 1.5, 4.0, iou, recall, before, asked.values["seed"])
    models = {"segmenter": ModelName(model, sha256), "synthesizer": ModelName("drawer", "b2")}
    told = {
        "modalities": asked.values["modalities"],
        "center_lps": [1.0, 2.0, 3.0],
        "notes": list(notes),
        "false_ml": 2.5,
    }
    asked.give({"volumes": arrays, "mask": mask, "called": mask, "probed": row, "models": models, **told})
    session.pump()
    return mask


def below(session):
    [shown] = {composite.GetBackgroundVolumeID() for composite in composites(session.scene)}
    return session.scene.GetNodeByID(shown)


def outlines(session):
    return {entry["name"] for entry in session.view_state.outlines}


def on_screen(session):
    """What the views show: layers with their opacities, outlines, legends."""
    layers = [
        (c.GetBackgroundVolumeID(), c.GetForegroundVolumeID(), c.GetForegroundOpacity(), c.GetLabelVolumeID())
        for c in composites(session.scene)
    ]
    return layers, session.view_state.outlines, session.view_state.layers


def test_it_is_asked_for_where_the_crosshair_is_with_what_was_chosen(found, sarcoma):
    found.set(probe_diameter_mm=20.0, probe_contrast=0.5, samples=1, model="sts-caldiff")
    found.probing.place_at_crosshair()
    asked = found.engine.last("probe").values
    assert asked["center_lps"] == HERE_LPS and (asked["diameter_mm"], asked["contrast"]) == (20.0, 0.5)
    assert (asked["synthesizer"], asked["model"], asked["inpainter"]) == ("drawer", "sts-caldiff", "filler")
    assert asked["samples"] == 1 and asked["modalities"] == list(sarcoma.modalities)
    np.testing.assert_array_equal(asked["lesion"], found.lesion.mask() | (sarcoma.reference_mask.array > 0))
    assert found.view_state.probing == "working"
    found.set(samples=16)
    found.probing.place_at_random()
    assert found.engine.last("probe").values["center_lps"] is None
    assert found.engine.last("probe").values["samples"] == probing.SAMPLES
    first, second = found.engine.of("probe")
    assert first.cancelling and first.values["seed"] != second.values["seed"]


def test_it_takes_the_place_of_all_images_and_outlines_and_says_so(found, sarcoma):
    assert {"lesion", "inner 95 % contour"} <= outlines(found)
    found.probing.place_at_crosshair()
    mask = answer(found, sarcoma)
    shown = volumes.array_of(below(found))
    np.testing.assert_allclose(shown[mask], sarcoma.volumes["CT"].array[mask] + SHIFT)
    assert "SYNTHETIC tumor" in below(found).GetName()
    assert [layer["name"] for layer in found.view_state.layers] == ["CT, SYNTHETIC tumor", "PET, SYNTHETIC tumor"]
    assert outlines(found) == {"SYNTHETIC tumor", "called lesion by the model"}
    node = found.nodes["synthetic"]
    np.testing.assert_array_equal(segmentations.mask_of(node, "tumor", found.reference_node), mask)
    assert "SYNTHETIC tumor of 30 mm, made up by drawer" in found.view_state.synthetic
    assert found.view_state.probing == "ready"
    assert found.view_state.probing_words == "Found: overlap 0.61, 74% of it is called lesion."
    found.set(background="PET", show_lesion=True, show_band=True)
    assert "SYNTHETIC" in below(found).GetName() and outlines(found) == {
        "SYNTHETIC tumor",
        "called lesion by the model",
    }


def test_values_under_the_mouse_are_of_what_is_seen(found, sarcoma):
    where = sarcoma.grid.to_physical(np.array([42, 42, 3])) * (-1, -1, 1)
    before = found.display.probe(tuple(where))
    found.probing.place_at_crosshair()
    answer(found, sarcoma)
    seen = found.display.probe(tuple(where))
    assert float(seen["CT"].split()[0]) == pytest.approx(float(before["CT"].split()[0]) + SHIFT, abs=1)
    assert "lesion probability" in before and "lesion probability" not in seen
    found.probing.back()
    assert found.display.probe(tuple(where)) == before


def test_back_is_exactly_what_was_before(done, installed, sarcoma):
    done.scene.AddNewNodeByClass("vtkMRMLCrosshairNode").SetCrosshairRAS(*HERE_RAS)
    done.review.choose(2)
    done.choices.preview(1)
    done.pump_until(lambda: done.view_state.choice == 1)
    before, mask, nodes = on_screen(done), done.lesion.mask(), dict(done.nodes)
    said = {name: getattr(done.view_state, name) for name in
            ("regions", "region", "progress", "numbers", "can_undo", "undo_words", "steps", "unsaved", "choice",
             "no_edit", "accepted", "edited", "no_export", "legend")}  # fmt: skip
    editable = done.review._editable()
    done.probing.place_at_crosshair()
    answer(done, sarcoma)
    assert on_screen(done) != before and {"outline to choose"} <= {entry["name"] for entry in before[1]}
    assert outlines(done) == {"SYNTHETIC tumor", "called lesion by the model"}
    done.probing.back()
    assert on_screen(done) == before and dict(done.nodes) == nodes
    np.testing.assert_array_equal(done.lesion.mask(), mask)
    np.testing.assert_array_equal(done.review._editable(), editable)
    assert {name: getattr(done.view_state, name) for name in said} == said
    assert done.view_state.synthetic == "" and done.view_state.probing == "none"
    done.choices.drop()
    assert "region under review" in outlines(done)
    done.probing.place_at_random()
    answer(done, sarcoma)
    assert "region under review" not in outlines(done)


def test_nothing_is_edited_meanwhile_not_even_where_anything_may_be(done, installed, sarcoma):
    done.set(inside_region_only=False)
    assert done.view_state.no_edit == "" and done.review.editable() is None
    done.probing.place_at_random()
    answer(done, sarcoma)
    assert done.view_state.no_edit == review.SYNTHETIC
    limits = segmentations.mask_of(done.nodes["lesion"], editing.OUTSIDE, done.reference_node)
    assert limits.all() and editing.is_restricted(done.review.editor_node, done.nodes["lesion"])
    before = done.lesion.mask()
    done.edit("the threshold", lambda mask, where: ~mask)
    done.pump()
    np.testing.assert_array_equal(done.lesion.mask(), before)
    assert done.messages[-1].sentence == review.SYNTHETIC and done.view_state.synthetic
    done.probing.back()
    assert done.view_state.no_edit == "" and done.review.editable() is None
    assert not editing.is_restricted(done.review.editor_node, done.nodes["lesion"])


GOES_ON = {
    "run": lambda s: s.run(),
    "accept": lambda s: s.accept_lesion(),
    "decide": lambda s: s.review.decide(),
    "choose": lambda s: s.review.choose(1),
    "outline": lambda s: s.choices.preview(1),
    "take": lambda s: s.choices.take(),
    "undo": lambda s: s.undo(),
    "redo": lambda s: s.redo(),
    "previous contour": lambda s: s.restore_previous(),
    "healthy": lambda s: s.healthy.show(True),
    "an image moves": lambda s: s.set(moved={"PET": (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)}),
    "saved by the host": lambda s: s.persistence.record(),
    "another engine": lambda s: s.use_engine(s.engine),
    "the tumor is deleted": lambda s: s.lost(s.nodes["synthetic: CT"]),
}


@pytest.mark.parametrize("go_on", GOES_ON.values(), ids=GOES_ON)
def test_whoever_goes_on_with_the_patient_has_the_patients_images_first(done, installed, sarcoma, go_on):
    done.probing.place_at_random()
    answer(done, sarcoma)
    go_on(done)
    assert not done.view_state.synthetic and not any("synthetic" in role for role in done.nodes)
    assert "SYNTHETIC" not in below(done).GetName()


@pytest.mark.parametrize("go_on", [GOES_ON[name] for name in ("run", "decide", "undo", "an image moves")])
def test_who_goes_on_before_it_is_there_does_not_get_it(done, installed, sarcoma, go_on):
    done.probing.place_at_random()
    go_on(done)
    asked = done.engine.last("probe")
    assert asked.cancelling and done.view_state.probing == "none"
    asked.cancelling = False
    answer(done, sarcoma)
    assert not done.view_state.synthetic and done.view_state.probes == ()


def test_a_stroke_of_another_program_brings_the_patient_back(found, sarcoma):
    found.probing.place_at_random()
    answer(found, sarcoma)
    mask = found.lesion.mask()
    mask[CORE] = False
    mask[5:8, 20:30, 20:30] = True
    segmentations.set_mask(found.nodes["lesion"], "lesion", mask, found.nodes["CT"])
    found.pump_until(lambda: not found.view_state.synthetic)
    np.testing.assert_array_equal(found.lesion.mask(), mask)


@pytest.mark.parametrize("kind", export_reasons.KINDS)
def test_nothing_is_exported_meanwhile(done, installed, sarcoma, tmp_path, kind):
    done.probing.place_at_random()
    answer(done, sarcoma)
    assert done.view_state.no_export[kind] == export_reasons.SYNTHETIC
    assert not done.persistence.export_behind(kind, tmp_path / f"x.{kind}", lambda: None)
    assert done.messages[-1].sentence == export_reasons.SYNTHETIC and list(tmp_path.iterdir()) == []
    done.probing.back()
    assert done.view_state.no_export["seg.nrrd"] == ""


def test_a_saved_scene_holds_the_patient_alone(done, installed, sarcoma, tmp_path):
    done.probing.place_at_random()
    answer(done, sarcoma)
    assert not any(node.GetSaveWithScene() for role, node in done.nodes.items() if role.startswith("synthetic"))
    assert done.persistence.save_scene(tmp_path / "case.mrb")
    assert not done.view_state.synthetic
    content = (tmp_path / "case.mrb").read_bytes()
    assert b"SYNTHETIC" not in content and b"ynthetic" not in content
    np.testing.assert_array_equal(volumes.array_of(done.nodes["CT"]), sarcoma.volumes["CT"].array)


def test_a_record_that_the_host_keeps_by_itself_leaves_it_on_screen(done, installed, sarcoma):
    done.probing.place_at_random()
    answer(done, sarcoma)
    done.persistence.record(at_once=False)
    assert done.view_state.synthetic
    assert parameters.load(Parameters, done.scene) == done.parameters


def test_the_tally_counts_by_size_and_contrast_of_the_model_used_last(crossed, sarcoma):
    for diameter, iou in ((30.0, 0.5), (15.0, 0.02), (30.0, 0.09)):
        crossed.set(probe_diameter_mm=diameter)
        crossed.probing.place_at_crosshair()
        answer(crossed, sarcoma, iou)
    rows = [(row["size"], row["contrast"], row["found"]) for row in crossed.view_state.probes]
    assert rows == [("15 mm", "1", "0 of 1"), ("30 mm", "1", "1 of 2")]
    crossed.probing.back()
    assert len(crossed.view_state.probes) == 2, "the tally stays"
    crossed.probing.place_at_crosshair()
    answer(crossed, sarcoma, model="sts-caldiff", sha256="c3")
    assert [(row["found"], row["model"]) for row in crossed.view_state.probes] == [("1 of 1", "sts-caldiff")]
    crossed.open_case(sarcoma.only(["CT", "PET"]))
    assert crossed.view_state.probes == () and not crossed.view_state.synthetic


def test_what_the_model_made_of_it_is_said_and_what_says_little(crossed, sarcoma):
    said = {
        (0.02, 0.1, 0.0): "Missed: overlap 0.02, 10% of it is called lesion.",
        (
            0.07,
            0.98,
            0.1,
        ): "Not found as a lesion of its own: the piece called lesion on it is far larger (overlap 0.07).",
        (0.30, 0.9, 0.8): "Found: overlap 0.30, 90% of it is called lesion. Without the tumor 80% of this place",
    }
    for numbers, words in said.items():
        crossed.probing.place_at_crosshair()
        answer(crossed, sarcoma, *numbers)
        assert crossed.view_state.probing_words.startswith(words)
        assert ("says little" in crossed.view_state.probing_words) == (numbers[2] > 0.5)


def test_a_report_on_a_result_gets_the_tries_of_its_model_alone(found, sarcoma):
    assert found._probing.record_for(found.prediction) is None
    for model, sha256 in ((found.parameters.model, "a1"), ("sts-caldiff", "c3"), (found.parameters.model, "older")):
        found.probing.place_at_random()
        answer(found, sarcoma, model=model, sha256=sha256)
    record = found._probing.record_for(found.prediction)
    assert len(record.tumors) == 1 and record.segmenter == ModelName(found.parameters.model, "a1")
    assert (record.case, record.synthesizer.id, record.notes) == (sarcoma.name, "drawer", ("Taken out.",))
    assert record.false_ml == 2.5
    assert record.modalities == tuple(sarcoma.modalities)
    found.set(moved={"PET": (3.0, 0.0, 0.0, 0.0, 0.0, 0.0)})
    found._probing.forget()
    assert found._probing.record_for(found.prediction) is None


def test_a_saved_scene_brings_the_tally_back_for_table_and_report(done, installed, sarcoma, tmp_path):
    made = done.prediction.provenance
    for iou in (0.5, 0.02):
        done.probing.place_at_random()
        answer(done, sarcoma, iou, model=made["model"], sha256=made["sha256"])
    seeds = {asked.values["seed"] for asked in done.engine.of("probe")}
    rows, record = done.view_state.probes, done._probing.record_for(done.prediction)
    assert len(rows) == 1 and len(record.tumors) == 2
    assert done.persistence.save_scene(tmp_path / "case.mrb")
    done.open_case(sarcoma)
    assert done.view_state.probes == ()
    assert done.persistence.save_scene(tmp_path / "without.mrb")
    assert done.open_scene(tmp_path / "case.mrb")
    assert done.view_state.probes == rows and not done.view_state.synthetic
    back = done._probing.record_for(done.prediction)
    assert back.tumors == record.tumors and back.synthesizer == record.synthesizer and back.notes == record.notes
    assert (back.modalities, back.false_ml) == (record.modalities, record.false_ml)
    done._probing._asked = 0  # as in another session
    done.probing.place_at_random()
    assert done.engine.waiting("probe")[-1].values["seed"] not in seeds, "a tumor that was tried is not tried again"
    assert done.open_scene(tmp_path / "without.mrb")
    assert done.view_state.probes == (), "none are left of the scene before"


def test_an_image_that_landed_elsewhere_ends_the_tally(crossed, sarcoma):
    crossed.probing.place_at_random()
    answer(crossed, sarcoma)
    crossed.set(moved={"PET": (3.0, 0.0, 0.0, 0.0, 0.0, 0.0)})
    crossed.pump_until(lambda: crossed.engine.of("reopen"))
    crossed.engine.last("reopen").give()
    crossed.pump()
    assert crossed.view_state.probes == ()


def test_what_lacks_is_told_and_nobody_is_asked(told, installed, sarcoma):
    told.probing.place_at_crosshair()
    assert told.messages[-1].sentence == probing.NO_PLACE
    told.open_case(sarcoma.only(["PET", "MR_T1"]))
    assert told.view_state.no_probing == probing.NO_CT
    told.probing.place_at_random()
    assert told.messages[-1].sentence == probing.NO_CT
    installed.clear()
    told.open_case(sarcoma)
    assert told.view_state.no_probing == probing.NO_SYNTHESIZER
    told.probing.place_at_random()
    assert told.messages[-1].sentence == probing.NO_SYNTHESIZER and told.engine.of("probe") == []


def test_while_a_run_is_on_its_way_it_waits(crossed):
    crossed.run()
    crossed.probing.place_at_random()
    assert crossed.messages[-1].sentence == probing.RUNNING and crossed.engine.of("probe") == []


def test_without_an_inpainter_or_a_lesion_the_case_is_taken_as_it_is(told, installed, sarcoma):
    del installed[1]
    told.open_case(replace(sarcoma, reference_mask=None))
    told.probing.place_at_random()
    asked = told.engine.last("probe").values
    assert asked["lesion"] is None and asked["inpainter"] == ""


def test_the_healthy_view_gives_way(found, sarcoma):
    found.healthy.show(True)
    asked = found.engine.last("remove")
    mask = asked.values["lesion"]
    made = {key: v.array for key, v in sarcoma.volumes.items()}
    asked.give({"volumes": made, "removed": mask, "provenance": {"model": "filler"}})
    found.pump()
    assert found.view_state.healthy == "ready"
    found.probing.place_at_random()
    assert found.view_state.healthy == "none"
    answer(found, sarcoma)
    assert not any(role.startswith(("without lesion", "difference")) for role in found.nodes)


def test_progress_is_told_and_a_failure_says_why(crossed):
    crossed.probing.place_at_crosshair()
    asked = crossed.engine.last("probe")
    asked.progress(0.4, "drawing the tumor", None)
    crossed.pump()
    assert crossed.view_state.probing_words == "drawing the tumor, 40 %"
    asked.fail("input")
    crossed.pump()
    assert crossed.messages[-1].sentence == "It input." and crossed.view_state.probing == "none"
    assert crossed.view_state.probes == () and not crossed.view_state.synthetic


@pytest.mark.parametrize("values", [{"probe_diameter_mm": 4.0}, {"probe_contrast": 9.0}, {"probe_contrast": "1"}])
def test_a_size_that_cannot_be_is_refused(told, values):
    told.set(**values)
    assert told.messages[-1].level == "error"
    assert (told.parameters.probe_diameter_mm, told.parameters.probe_contrast) == (30.0, 1.0)


def test_sliders_of_the_tumor_leave_it_on_screen_and_are_steps_like_others(found, sarcoma):
    found.probing.place_at_random()
    answer(found, sarcoma)
    found.set(probe_diameter_mm=12.0)
    assert found.view_state.synthetic and "size" in found.view_state.undo_words


def test_the_crosshair_of_a_scene_is_where_it_was_put(told):
    from DiffuFuseMedLib.mrml.views import crosshair_at, place_crosshair

    assert crosshair_at(told.scene) is None
    told.scene.AddNode(slicer.vtkMRMLCrosshairNode())
    place_crosshair(told.scene, HERE_RAS)
    assert crosshair_at(told.scene) == HERE_RAS


def test_the_report_has_what_was_found_and_stays_the_patients(done, installed, sarcoma, tmp_path, page_of):
    made = {**done.prediction.provenance, "sha256": "a1"}
    done._context.prediction = replace(done.prediction, provenance=made)
    numbers = done.view_state.numbers
    for iou in (0.61, 0.01):
        done.probing.place_at_random()
        answer(done, sarcoma, iou, model=made["model"], notes=("Its lesion was out.",))
    done.probing.back()
    assert done.view_state.numbers == numbers
    there = []
    assert done.persistence.export_behind("report.html", tmp_path / "x.html", lambda: there.append(1))
    for asked in done.engine.waiting("judge"):
        asked.fail("internal")
    done.pump_until(lambda: there)
    page = page_of(tmp_path / "x.html")
    assert "30 1 1 of 2" in page.text and "drawer" in page.text and "Its lesion was out." in page.text
