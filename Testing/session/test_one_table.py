"""What a new entry in one table brings to the workspace: windows, colors, legends, values and a saved scene."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.maps import MAPS
from DiffuFuseMedLib.core.modalities import MODALITIES
from DiffuFuseMedLib.mrml import colors, display, volumes
from DiffuFuseMedLib.session import Parameters, window_choices

CORE = np.s_[4:12, 15:35, 15:40]


@pytest.fixture
def a_case(new_entries, sarcoma):
    """The sarcoma's T1 as a DWI, and an ultrasound of 55 in its middle voxel."""
    mri, ct = sarcoma.volumes["MR_T1"], sarcoma.volumes["CT"]
    echo = np.linspace(0, 110, ct.array.size, dtype=np.float32).reshape(ct.array.shape)
    new = {"MR_DWI": replace(mri, modality="MR_DWI"), "US": replace(ct, array=echo, modality="US", meta={})}
    everywhere = np.ones(ct.array.shape, bool)
    valid = {"MR_DWI": sarcoma.valid["MR_T1"], "US": everywhere}
    alignment = dict.fromkeys(new, sarcoma.alignment["MR_T1"])
    case = sarcoma.only(["CT", "PET"])
    return replace(
        case,
        volumes=case.volumes | new,
        valid=case.valid | valid,
        alignment=case.alignment | alignment,
    )


@pytest.fixture
def opened(told, a_case, a_host, jump):
    """A session at it, whose engine answers when told."""
    told.open_case(a_case)
    jump(told, a_case)
    told.engine.last("open").give()
    a_host.pump()
    return told


@pytest.fixture
def done(opened, answers, a_case):
    """After a run whose prediction has the new map as well."""
    opened.run()
    asked = opened.engine.last("segment")
    made = answers["prediction"](asked, a_case, (CORE,))
    between = np.linspace(0, 1.7, made.probability.size, dtype=np.float32).reshape(made.probability.shape)
    asked.give(replace(made, uncertainty=made.uncertainty | {"disagreement": between}))
    opened.pump()
    return opened


def test_a_new_modality_is_listed_with_its_windows_and_shown_in_the_first_in_its_colors(opened):
    assert opened.view_state.modalities == ("CT", "PET", "MR_DWI", "US")
    assert window_choices("US") == ("bright", "dark") and window_choices("MR_DWI") == ("auto",)
    node = opened.nodes["US"]
    assert (display.window_of(node), display.colors_of(node)) == ((0, 90.5), "Inferno")
    opened.set(windows={"US": "dark"})
    assert display.window_of(node) == (0, 40)


def test_its_legend_and_the_values_under_the_mouse_are_in_its_unit(opened, a_case):
    opened.set(background="US", foreground="")
    legend = opened.view_state.layers[0]
    assert (legend["name"], legend["low"], legend["high"], legend["unit"]) == ("US", "0.0", "90.5", "echo")
    middle = [n // 2 for n in a_case.grid.shape]
    x, y, z = a_case.grid.to_physical(np.array(middle[::-1]))
    value = a_case.volumes["US"].array[tuple(middle)]
    assert opened.display.probe((-x, -y, z))["US"] == f"{value:.1f} echo"


def test_a_new_contrast_can_be_fused(opened):
    assert opened.fusion.mris() == ["MR_DWI"] and opened.fusion.why_not() == ""


def test_a_new_map_can_be_chosen_and_has_its_own_legend(done, new_entries):
    done.set(uncertainty_map="disagreement", uncertainty_above=0.2)
    legend, node = done.view_state.legend, done.nodes["between_modalities"]
    assert (node.GetName(), display.colors_of(node)) == ("Uncertainty, between modalities", "Grey")
    assert legend["unit"] == "bit" and legend["high"] == pytest.approx(1.7 * 0.995, rel=0.01)
    assert legend["colors"] == colors.css_gradient(colors.color_node(done.scene, "Grey"))
    [shown] = [layer for layer in done.view_state.layers if layer["unit"] == "bit"]
    assert shown["high"] == "1.7"


def test_a_map_never_goes_beyond_what_it_can_reach(done, new_entries, monkeypatch):
    monkeypatch.setitem(MAPS, "disagreement", replace(new_entries.disagreement, highest=1.0))
    done.set(uncertainty_map="disagreement")
    assert done.view_state.legend["high"] == 1.0


def test_a_map_that_no_table_has_cannot_be_chosen():
    with pytest.raises(InputError, match="uncertainty map 'disagreement'"):
        Parameters(uncertainty_map="disagreement")


def test_a_saved_scene_brings_both_back(done, answers, a_case, tmp_path):
    done.set(uncertainty_map="disagreement", background="US")
    before = done.prediction.uncertainty["disagreement"].copy()
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    done.forget()
    done.scene.Clear(False)
    assert done.open_scene(tmp_path / "a.mrb"), done.view_state.message
    done.pump_until(lambda: not done.view_state.counting)
    assert done.case.modalities == ("CT", "PET", "MR_DWI", "US")
    np.testing.assert_array_equal(done.prediction.uncertainty["disagreement"], before)
    np.testing.assert_array_equal(volumes.array_of(done.nodes["between_modalities"]), before)
    assert done.parameters.uncertainty_map == "disagreement"


def test_a_result_without_the_map_takes_it_away(done, answers, a_case):
    done.run()
    asked = [a for a in done.engine.waiting("segment") if a.progress][-1]
    asked.give(answers["prediction"](asked, a_case, (CORE,)))
    done.pump()
    assert "between_modalities" not in done.nodes and "predictive_entropy" in done.nodes


def test_tracers_are_in_the_colors_that_the_reader_chose_and_nothing_else_is(opened):
    opened.set(pet_colors="PET rainbow")
    shown = {key: display.colors_of(opened.nodes[key]) for key in opened.view_state.modalities}
    assert shown == {"CT": "Grey", "PET": "PET rainbow", "MR_DWI": "Grey", "US": "Inferno"}
    assert MODALITIES["PET"].colors == "PET heat"
