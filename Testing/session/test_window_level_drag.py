"""A window that is dragged in a view, or changed by another module of the host: what the hand did stays."""

import gc
import weakref

import pytest
from DiffuFuseMedLib.mrml import display
from DiffuFuseMedLib.session.window_level import FUSED, GRAY, by_hand, choices, range_of, shipped

TAKEN = 0.3  # seconds in which a drag's value has been taken


def drag(session, role, low, high):
    """What MRML's mouse mode does to a volume."""
    display.display_of(session.nodes[role]).SetWindowLevelMinMax(low, high)


def test_what_the_hand_did_stays_and_is_one_more_choice(told):
    drag(told, "CT", -40.0, 250.0)
    told.pump(TAKEN)
    assert told.parameters.windows == {"CT": "-40 to 250"}
    told.set(foreground_opacity=0.5)  # everything is shown anew
    assert display.window_of(told.nodes["CT"]) == (-40, 250)
    assert choices("CT", "-40 to 250") == (*choices("CT"), "-40 to 250")
    assert next(each for each in told.view_state.layers if each["name"] == "fused")["high"] == "1.0"


def test_a_drag_is_one_step_back(told):
    for high in (300.0, 350.0, 400.0):
        drag(told, "CT", -40.0, high)
        told.pump(0.2)
    assert told.parameters.windows == {"CT": "-40 to 400"}
    told.undo()
    assert told.parameters.windows == {} and display.window_of(told.nodes["CT"]) == (-160, 240)
    told.redo()
    assert display.window_of(told.nodes["CT"]) == (-40, 400)


def test_a_preset_chosen_afterwards_holds(told):
    drag(told, "PET", 1.0, 7.0)
    told.pump(TAKEN)
    told.choose_windows({"PET": "0-5"})
    told.pump(TAKEN)
    assert told.parameters.windows["PET"] == "0-5" and display.window_of(told.nodes["PET"]) == (0, 5)


def test_what_comes_in_the_middle_of_a_drag_does_not_put_the_window_back(told):
    drag(told, "CT", -40.0, 250.0)
    told.set(foreground_opacity=0.9)
    assert display.window_of(told.nodes["CT"]) == (-40, 250)
    told.pump(TAKEN)
    assert told.parameters.windows == {"CT": "-40 to 250"}


def test_the_fused_picture_has_a_window_too_and_its_legend_says_it(told):
    drag(told, FUSED, 0.25, 0.75)
    told.pump(TAKEN)
    told.set(foreground_opacity=0.5)
    assert told.parameters.windows == {FUSED: "0.25 to 0.75"}
    legend = next(each for each in told.view_state.layers if each["name"] == "fused")
    assert display.window_of(told.nodes[FUSED]) == (0.25, 0.75) and legend["high"] == "0.75"
    told.choose_windows({FUSED: "auto"})
    assert display.window_of(told.nodes[FUSED]) == GRAY


def test_colors_and_thresholds_are_no_windows(told):
    told.set(pet_colors="PET rainbow")
    display.display_of(told.nodes["CT"]).SetInterpolate(False)
    told.pump(TAKEN)
    assert told.parameters.windows == {}


def test_a_window_by_hand_is_of_its_case(told, sarcoma):
    told.choose_windows({"PET": "0-5"})
    drag(told, "MR_T1", 10.0, 900.0)
    told.pump(TAKEN)
    assert told.parameters.windows == {"PET": "0-5", "MR_T1": "10 to 900"}
    told.open_volumes({key: sarcoma.volumes[key] for key in sarcoma.modalities}, "again", register="never")
    told.pump_until(lambda: told.view_state.case_name == "again")
    assert told.parameters.windows == {"PET": "0-5"}


def test_a_drag_whose_case_was_closed_is_forgotten(told):
    drag(told, "CT", -40.0, 250.0)
    told.forget()
    told.pump(TAKEN)
    assert told.parameters.windows == {} and told.view_state.message is None


@pytest.mark.parametrize("ends", [(-40.0, 250.0), (-1350.0, 150.0), (0.041, 1.15), (1e-6, 2e-6), (0.0, 123456.0)])
def test_a_name_brings_its_window_back(sarcoma, ends):
    assert range_of(sarcoma, "CT", by_hand(*ends)) == pytest.approx(ends, rel=0.005)


@pytest.mark.parametrize("name", ["5 to 5", "9 to 1", "to", "1 to x", "1.2.3 to 4", "-- to 4", "0-10 to"])
def test_what_is_no_window_is_the_default(sarcoma, name):
    assert range_of(sarcoma, "CT", name) == (-160, 240) and choices("CT", name) == choices("CT")
    assert shipped({"CT": name}) == {"CT": name}


def test_nothing_holds_on_to_the_images_of_a_case_that_was_closed(told):
    image = weakref.ref(told.nodes["CT"])
    told.forget()
    told.scene.Clear(False)
    gc.collect()
    assert image() is None
