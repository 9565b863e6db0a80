import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.presets import PRESETS, VALUES
from DiffuFuseMedLib.session import Parameters
from DiffuFuseMedLib.session.history import History
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


def test_a_drag_is_one_step_and_a_pause_ends_it():
    now = [0.0]
    history, names = History(lambda: now[0]), frozenset({"alpha"})
    states = [Parameters(alpha=a) for a in (0.9, 0.8, 0.7, 0.6, 0.5)]
    for state, at in zip(states, (0.0, 0.5, 1.0, 5.0, 5.1), strict=True):
        now[0] = at
        history.note(state, names)
    assert history.undo(Parameters(alpha=0.4)) is states[3]
    assert history.undo(states[3]) is states[0]
    assert history.undo(states[0]) is None


def test_what_a_hand_does_until_it_lets_go_is_one_step_however_slow_and_the_next_drag_another():
    now = [0.0]
    history, names = History(lambda: now[0]), frozenset({"alpha"})
    history.note(Parameters(alpha=0.9), names)
    now[0] = 0.1
    history.hold(True)
    for alpha in (0.8, 0.7, 0.6):
        history.note(Parameters(alpha=alpha), names)
        now[0] += 60
    history.hold(False)
    history.hold(True)
    history.note(Parameters(alpha=0.5), names)
    assert history.undo(Parameters(alpha=0.4)).alpha == 0.5
    assert history.undo(Parameters(alpha=0.5)).alpha == 0.8
    assert history.undo(Parameters(alpha=0.8)).alpha == 0.9
    assert not history.can_undo


def test_another_parameter_in_the_same_hand_is_another_step():
    history = History(lambda: 0.0)
    history.hold(True)
    history.note(Parameters(), frozenset({"alpha"}))
    history.note(Parameters(alpha=0.1), frozenset({"beta"}))
    assert history.undo(Parameters(alpha=0.1, beta=0.1)).alpha == 0.1


def test_another_slider_is_another_step_however_fast():
    history = History(lambda: 0.0)
    history.note(Parameters(), frozenset({"alpha"}))
    history.note(Parameters(alpha=0.1), frozenset({"beta"}))
    history.undo(Parameters(alpha=0.1, beta=0.1))
    assert history.can_undo


def test_the_history_is_bounded():
    history = History(iter(range(0, 10_000, 10)).__next__)
    for _ in range(300):
        history.note(Parameters(), frozenset({"alpha"}))
    steps = 0
    while history.undo(Parameters()):
        steps += 1
    assert steps == 100


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
