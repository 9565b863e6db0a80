"""PET in another SUV on screen: numbers, legend, window and the value under the mouse; what is doubtful is said."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.suv_units import FACTORS
from DiffuFuseMedLib.mrml import display

CORE = np.s_[4:12, 15:35, 15:40]
PLACE = np.s_[8, 25, 28]


@pytest.fixture(scope="module")
def a_patient(sarcoma):
    """STS_010 with a lean body mass of half the weight, and a doubtful dose."""
    pet = sarcoma.volumes["PET"]
    meta = {**pet.meta, FACTORS: {"lbm": 0.5}, "notes": ["Warning: RadionuclideTotalDose is 300, in MBq.", "Fine."]}
    return replace(sarcoma, volumes={**sarcoma.volumes, "PET": replace(pet, meta=meta)})


@pytest.fixture
def shown(told, answers, a_patient):
    told.open_case(a_patient)
    told.run()
    asked = told.engine.last("segment")
    asked.give(answers["prediction"](asked, a_patient, (CORE,)))
    told.pump_until(lambda: told.view_state.numbers)
    return told


def numbers(session):
    return {row["label"]: row["value"] for row in session.view_state.numbers}


def value_at(session, case):
    lps = case.grid.to_physical(np.array(PLACE[::-1], float))
    return session.display.probe(tuple(float(x) for x in lps * (-1, -1, 1)))["PET"]


def test_numbers_legend_and_the_value_under_the_mouse_are_in_the_unit_with_its_name(shown, a_patient):
    before = numbers(shown)
    shown.set(suv="lbm")
    shown.pump_until(lambda: "SUVlbm max" in numbers(shown))
    after = numbers(shown)
    assert float(after["SUVlbm max"].split()[0]) == pytest.approx(float(before["SUVmax"].split()[0]) / 2, abs=0.06)
    assert "SUVlbm TLG" in after and "SUVmax" not in after
    legend = next(each for each in shown.view_state.layers if each["name"] == "PET")
    assert (legend["low"], legend["high"], legend["unit"]) == ("0", "6", "SUVlbm")
    assert display.window_of(shown.nodes["PET"]) == (0, 12)  # the volume itself stays SUVbw
    assert value_at(shown, a_patient) == f"{a_patient.volumes['PET'].array[PLACE] / 2:.2f} SUVlbm"
    shown.undo()
    shown.pump_until(lambda: "SUVmax" in numbers(shown))
    assert value_at(shown, a_patient).endswith("SUVbw")


def test_a_window_made_by_hand_stays_on_screen_when_the_unit_changes(shown):
    shown.set(windows={"PET": "2 to 8"})
    shown.set(suv="lbm")
    assert shown.parameters.windows["PET"] == "1 to 4"
    assert display.window_of(shown.nodes["PET"]) == (2, 8)


def test_a_unit_that_the_case_does_not_allow_is_refused_and_nothing_changes(shown):
    shown.set(suv="bsa")
    assert shown.parameters.suv == "bw"
    assert "SUVbsa" in shown.view_state.message.sentence
    reasons = {one["value"]: one["why_not"] for one in shown.view_state.suv_units}
    assert reasons["lbm"] == "" and reasons["bsa"]


def test_another_case_without_the_unit_is_shown_by_body_weight_and_the_reader_is_told(shown, sarcoma):
    shown.set(suv="lbm")
    shown.open_case(sarcoma)
    assert shown.parameters.suv == "bw"
    assert "SUVlbm cannot be worked out" in shown.view_state.message.sentence


def test_a_doubtful_suv_is_on_screen_until_the_reader_has_seen_it(shown, a_patient, sarcoma):
    assert shown.view_state.doubts == ("PET: RadionuclideTotalDose is 300, in MBq.",)
    shown.seen_doubts()
    assert shown.view_state.doubts == ()
    assert any("in MBq" in line for line in shown.view_state.quality)  # the report says it all the same
    shown.open_case(a_patient)
    assert shown.view_state.doubts
    shown.open_case(sarcoma)
    assert shown.view_state.doubts == ()
