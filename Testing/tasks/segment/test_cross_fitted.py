"""Networks of one recipe without a part of the patients each: whoever is asked of a patient never saw it."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.split import Split
from DiffuFuseMedLib.tasks.segment.calibrate import calibrate
from DiffuFuseMedLib.tasks.segment.cross_fitted import CrossFitted, not_alike, patients_of
from DiffuFuseMedLib.tasks.segment.evaluate import CLEAN, conditions, evaluate
from DiffuFuseMedLib.tasks.segment.settings import Settings

NAMES = ("one", "second", "patient 3")


@pytest.fixture(scope="module")
def cases(a_case):
    shapes = ((12, 36, 32), (14, 34, 36), (13, 40, 30))
    return [a_case(shape, name, (6, 20 - 2 * n, 14 + n)) for n, (name, shape) in enumerate(zip(NAMES, shapes))]  # noqa: B905


@pytest.fixture(scope="module")
def trained_on(a_model):
    """A function (patients, sha256, more of the record): the tiny model as if it had been trained on these."""

    def named(patients, sha256, **changes):
        training = {**a_model.record.training, "patients": list(patients), **changes.pop("training", {})}
        return replace(a_model, record=replace(a_model.record, training=training, sha256=sha256, **changes))

    return named


@pytest.fixture(scope="module")
def all_three(trained_on):
    """A model that saw everybody, and two networks without one and without two."""
    return CrossFitted(
        trained_on(NAMES, "all", id="whole"),
        (trained_on(NAMES[1:], "without 1"), trained_on(NAMES[:1], "without 2, 3")),
    )


def test_a_patient_is_asked_of_the_first_that_never_saw_it(all_three):
    assert all_three.asked(NAMES) == {"without 1": ["one"], "without 2, 3": ["second", "patient 3"]}
    assert all_three.asked(["a stranger"]) == {"all": ["a stranger"]}
    assert all_three.of("a stranger") is all_three.model


def test_whoever_is_asked_speaks_with_the_models_name_calibration_and_domain(trained_on):
    fit = {"scale": 0.5, "offset": 0.0, "contour_width": 1.0, "volume": {}}
    model = trained_on(NAMES, "all", id="whole", calibration={"all": fit}, domain={"needed": ["CT"]})
    asked = CrossFitted(model, (trained_on((), "none of them"),)).of("one").record
    assert (asked.id, asked.calibration, asked.domain) == ("whole", {"all": fit}, {"needed": ["CT"]})
    assert asked.sha256 == "none of them"


def test_a_patient_that_all_were_trained_on_is_refused(trained_on):
    both = CrossFitted(trained_on(NAMES, "a"), (trained_on(NAMES[1:2], "b"),))
    with pytest.raises(InputError, match=r"^Given the patient second, whom each of the 2 networks was trained on, "):
        both.asked(NAMES)


def test_patients_of_the_training_before_are_patients_too(trained_on):
    before = {"patients": ["second"], "started_from": {"training": {"patients": ["patient 3"]}}}
    on = trained_on(["one"], "b", training={"started_from": {"sha256": "", "training": before}})
    assert on.record.patients == NAMES
    with pytest.raises(InputError, match="patient 3"):
        CrossFitted(on).of("patient 3")


@pytest.mark.parametrize(
    "other",
    [
        {"config": {"modalities": ["CT"]}},
        {"window": {"shape": [8, 8, 8], "spacing_kji_mm": [1.0, 1.0, 1.0]}},
        {"members": {"tiny": "a", "other": "b"}},
    ],
    ids=["settings", "window", "members"],
)
def test_a_network_of_another_kind_is_refused(trained_on, other):
    with pytest.raises(InputError, match=r"^Given stranger, a network of another kind than tiny, "):
        CrossFitted(trained_on((), "a"), (trained_on((), "b", id="stranger", **other),))


def test_a_window_that_differs_by_its_augmentation_alone_is_no_other_kind(trained_on):
    model = trained_on((), "a")
    CrossFitted(model, (trained_on((), "b", window={**model.record.window, "gain": 0.3}),))


def test_what_the_training_holds_out_is_not_of_the_patients(trained_on):
    split = Split((("one", "second"), ("patient 3",)), {})
    assert patients_of(split, trained_on((), "a", training={"held_out": ["second"]}).record) == ["one", "patient 3"]


@pytest.mark.parametrize(("steps", "told"), [(100, []), (124, []), (130, 1), (70, 1)])
def test_trainings_of_other_lengths_are_told(trained_on, steps, told):
    model, other = (trained_on((), "a", training={"steps_done": n}).record for n in (100, steps))
    said = not_alike(model, [other])
    assert said == ([f"One network was trained for {steps} steps, tiny for 100."] if told else [])


def test_calibration_takes_each_patient_from_whoever_never_saw_it(all_three, cases, monkeypatch):
    asked = []
    real = calibrate.__globals__["draw"]
    monkeypatch.setitem(
        calibrate.__globals__,
        "draw",
        lambda case, model, settings: (asked.append((case.name, model.record.sha256)), real(case, model, settings))[1],
    )
    record = calibrate(all_three.model, cases, Settings(samples=1), others=all_three.others)
    assert asked == [("one", "without 1"), ("second", "without 2, 3"), ("patient 3", "without 2, 3")]
    assert record.calibration["asked"] == {"without 1": ["one"], "without 2, 3": ["second", "patient 3"]}
    assert record.id == "whole" and set(record.calibration["without"]) == set(NAMES)


def test_calibration_refuses_a_patient_of_the_training(trained_on, cases):
    with pytest.raises(InputError, match="whom each of the 1 networks was trained on"):
        calibrate(trained_on(["second"], "a"), cases, Settings(samples=1))


def test_evaluation_scores_each_patient_by_whoever_never_saw_it(all_three, cases, a_model, monkeypatch):
    asked = []
    real = evaluate.__globals__["_model_row"].__globals__["predict"]
    monkeypatch.setitem(
        evaluate.__globals__["_model_row"].__globals__,
        "predict",
        lambda case, model, settings: (asked.append(model.record.sha256), real(case, model, settings))[1],
    )
    clean = [c for c in conditions(("CT",), False, 0) if c.name == CLEAN]
    rows = evaluate(all_three.model, cases[:2], clean, Settings(samples=1), others=all_three.others)
    assert asked == ["without 1", "without 2, 3"]
    ours = [row for row in rows if row["method"] == "whole"]
    assert [row["case"] for row in ours] == ["one", "second"] and all(np.isfinite(row["dice"]) for row in ours)
