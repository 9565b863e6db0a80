import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.presets import PRESETS, VALUES
from DiffuFuseMedLib.session import Parameters
from DiffuFuseMedLib.session.history import History, Step
from DiffuFuseMedLib.session.parameters import changed

BAD = {
    "alpha": 1.5,
    "gamma": "much",
    "lambdas": (1.0, 2.0),
    "ct_window_hu": (100.0, 100.0),
    "steps": 1.5,
    "samples": 65,
    "seed": -1,
    "uncertainty_map": "doubt",
    "compare": "blend",
    "pet_colors": "Pink",
    "foreground_opacity": 1.01,
    "uncertainty_above": float("nan"),
    "guided": 1,
    "delta": 0.5,
}


@pytest.mark.parametrize(("name", "value"), BAD.items(), ids=BAD.keys())
def test_a_value_that_cannot_be_is_one_sentence_that_names_it(name, value):
    with pytest.raises(InputError) as caught:
        changed(Parameters(), **{name: value})
    assert str(caught.value).count(".") >= 1
    assert name.replace("_", " ").split()[0].rstrip("s") in str(caught.value).replace("_", " ")


@pytest.mark.parametrize("model", ["../../elsewhere", "/models/mine", "a\\b", "", ".hidden", "x" * 200])
def test_a_model_is_named_by_its_id_and_not_by_a_folder_on_the_disk(model):
    """Whoever holds the page's token, or sent a scene, would have it read from anywhere."""
    with pytest.raises(InputError, match="the model"):
        changed(Parameters(), model=model)


def test_a_refused_value_changes_nothing_and_is_told(told):
    before = told.parameters
    told.set(alpha=2.0, beta=0.1)
    assert told.parameters is before
    assert told.view_state.message.level == "error"
    assert "alpha=2.0" in told.view_state.message.sentence
    assert not told.view_state.can_undo


def test_an_mr_that_the_case_does_not_have_is_refused(told):
    told.set(mri="MR_T2")
    assert told.parameters.mri == ""
    assert "MR_T1" in told.view_state.message.sentence


def test_undo_and_redo_walk_through_the_values(told):
    told.set(alpha=0.1)
    told.set(beta=0.2)
    told.undo()
    assert (told.parameters.alpha, told.parameters.beta) == (0.1, 0.6)
    told.undo()
    assert (told.parameters.alpha, told.parameters.preset) == (0.9, "soft-tissue-sarcoma")
    assert (told.view_state.can_undo, told.view_state.can_redo) == (False, True)
    told.undo()
    told.redo()
    told.redo()
    told.redo()
    assert (told.parameters.alpha, told.parameters.beta) == (0.1, 0.2)
    told.undo()
    told.set(gamma=0.3)
    assert not told.view_state.can_redo


def change(history, before, after, *names):
    """One value of a slider after another, as a part called "sliders"."""
    history.note(Step("a change", {"sliders": before}, {"sliders": after}), frozenset(names))


def undone(history):
    """What every undo puts back, until there is none."""
    found = []
    while step := history.undo():
        found.append(step.before["sliders"])
    return found


def test_a_drag_is_one_step_and_a_pause_ends_it():
    now = [0.0]
    history = History(lambda: now[0])
    for n, at in enumerate((0.0, 0.5, 1.0, 5.0, 5.1)):
        now[0] = at
        change(history, n, n + 1, "alpha")
    assert [step.after["sliders"] for step in history.past] == [3, 5]
    assert undone(history) == [3, 0]


def test_what_a_hand_does_until_it_lets_go_is_one_step_however_slow_and_the_next_drag_another():
    now = [0.0]
    history = History(lambda: now[0])
    change(history, 0, 1, "alpha")
    now[0] = 0.1
    history.hold(True)
    for n in (1, 2, 3):
        change(history, n, n + 1, "alpha")
        now[0] += 60
    history.hold(False)
    history.hold(True)
    change(history, 4, 5, "alpha")
    assert undone(history) == [4, 1, 0]


def test_another_parameter_in_the_same_hand_is_another_step():
    history = History(lambda: 0.0)
    history.hold(True)
    change(history, 0, 1, "alpha")
    change(history, 1, 2, "beta")
    assert undone(history) == [1, 0]


def test_another_slider_is_another_step_however_fast():
    history = History(lambda: 0.0)
    change(history, 0, 1, "alpha")
    change(history, 1, 2, "beta")
    assert undone(history) == [1, 0]


def test_what_is_dragged_by_no_hand_is_a_step_each_time_however_fast():
    history = History(lambda: 0.0)
    history.hold(True)
    change(history, 0, 1)
    change(history, 1, 2)
    assert undone(history) == [1, 0]


def test_a_part_that_is_forgotten_goes_from_every_step_and_a_step_of_nothing_goes_too():
    history = History(lambda: 0.0)
    history.note(Step("a stroke", {"lesion": 0}, {"lesion": 1}))
    history.note(Step("both", {"lesion": 1, "sliders": 0}, {"lesion": 2, "sliders": 1}))
    history.note(Step("a stroke", {"lesion": 2}, {"lesion": 3}))
    history.undo()
    history.forget("lesion")
    assert [(step.what, step.before, step.after) for step in history.past] == [("both", {"sliders": 0}, {"sliders": 1})]
    assert history.future == ()


def test_the_history_is_bounded():
    history = History(iter(range(0, 10_000, 10)).__next__)
    for n in range(300):
        change(history, n, n + 1, "alpha")
    assert len(undone(history)) == 100


def test_a_slider_that_leaves_its_preset_is_custom_and_reset_returns(told):
    told.use_preset("bone-tumor")
    assert (told.parameters.beta, told.parameters.ct_window_hu) == (0.95, (-200.0, 1300.0))
    told.set(ct_window_hu=(-200.0, 1000.0))
    assert told.parameters.preset == "custom"
    told.undo()
    assert told.parameters.preset == "bone-tumor"
    told.set(alpha=0.11)
    told.reset_fusion()
    values = {name: getattr(told.parameters, name) for name in VALUES}
    assert values == {name: getattr(PRESETS["soft-tissue-sarcoma"], name) for name in VALUES}
    assert told.parameters.preset == "soft-tissue-sarcoma"


def test_an_unknown_preset_is_refused(told):
    told.use_preset("aura")
    assert "aura" in told.view_state.message.sentence
    assert told.parameters.preset == "soft-tissue-sarcoma"


def test_a_preset_of_ones_own_is_kept_and_found_again(workplaces, tmp_path):
    session = workplaces(_NoEngine(), tmp_path)
    session.set(alpha=0.25)
    session.save_preset("my-knee", "My knee", "Because.")
    assert session.parameters.preset == "my-knee"
    session.use_preset("brain-glioma")
    session.use_preset("my-knee")
    assert session.parameters.alpha == 0.25
    assert [p.name for p in tmp_path.iterdir()] == ["my-knee.json"]


@pytest.mark.parametrize("name", ["../out", "soft-tissue-sarcoma", "custom", "", "a/b", "Ä"])
def test_a_preset_is_not_saved_under_a_name_that_leads_elsewhere_or_is_taken(workplaces, tmp_path, name):
    folder = tmp_path / "presets"
    folder.mkdir()
    session = workplaces(_NoEngine(), folder)
    session.save_preset(name, "Title", "Reason.")
    assert session.view_state.message.level == "error"
    assert list(tmp_path.rglob("*.json")) == []


def test_a_damaged_preset_is_told_once_even_when_the_listener_asks_for_presets(workplaces, tmp_path):
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    session = workplaces(_NoEngine(), tmp_path)
    session.listen(lambda _: session.presets())  # as a panel does
    assert set(session.presets()) == set(PRESETS)
    session.presets()
    assert [m.level for m in session.messages] == ["warning"]
    assert "bad.json" in session.messages[0].sentence


class _NoEngine:
    def close(self):
        pass


@pytest.mark.parametrize("name", ["PET-Heat", "PET-Rainbow", "PET-DICOM", "PET-MaximumIntensityProjection"])
def test_a_scene_of_before_keeps_the_pet_colors_it_was_saved_with(name):
    assert Parameters(pet_colors=name).pet_colors == name
