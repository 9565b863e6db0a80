import numpy as np
import pytest
from DiffuFuseMedLib.mrml import colors, display, volumes
from DiffuFuseMedLib.mrml.views import composites
from DiffuFuseMedLib.session.display import compared
from DiffuFuseMedLib.session.window_level import choices, range_of

CORE, FIRST = np.s_[4:12, 15:35, 15:40], np.s_[5:9, 36:44, 20:30]


@pytest.fixture
def done(told, answers, sarcoma):
    told.run()
    asked = told.engine.last("segment")
    asked.give(answers["prediction"](asked, sarcoma, (CORE,), ((FIRST, 0.6),)))
    told.pump()
    return told


def layers(session):
    """Role of background, foreground and overlay in the first view."""
    roles = {node.GetID(): role for role, node in session.nodes.items()}
    composite = composites(session.scene)[0]
    ids = composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID(), composite.GetNthLayerVolumeID(3)
    return tuple(roles.get(i) for i in ids)


def test_the_fused_picture_lies_under_the_pet_and_its_doubt_over_both(told):
    assert layers(told) == ("fused", "PET", None)
    assert composites(told.scene)[0].GetForegroundOpacity() == 0.35
    told.set(background="CT", foreground="", foreground_opacity=0.5)
    assert layers(told) == ("CT", None, None)


def test_before_shows_the_reference_for_as_long_as_it_is_held(told):
    told.display.show_before(True)
    assert layers(told)[0] == "CT"
    told.display.show_before(False)
    assert layers(told)[0] == "fused"


def test_a_tool_that_works_on_the_reference_shows_it_whatever_was_chosen(told):
    told.set(background="PET", compare="swipe", compare_with="MR_T1")
    told.display.show_reference(True)
    assert layers(told)[0] == "CT"
    told.display.show_reference(False)
    assert layers(told)[0] == "compare"


def test_each_layer_on_screen_has_a_legend_in_its_unit(done):
    legends = {each["name"]: (each["low"], each["high"], each["unit"]) for each in done.view_state.layers}
    assert list(legends) == ["fused", "PET", "doubt"]
    assert legends["fused"] == ("0.0", "1.0", "gray") and legends["PET"] == ("0", "12", "SUVbw")
    assert legends["doubt"][0] == "0.00" and legends["doubt"][2] == "nat"
    gradient = colors.css_gradient(colors.color_node(done.scene, "PET heat"))
    assert done.view_state.layers[1]["colors"] == gradient
    done.set(background="CT", foreground_opacity=0.0, windows={"CT": "bone"})
    assert [each["name"] for each in done.view_state.layers] == ["CT", "doubt"]
    assert (done.view_state.layers[0]["low"], done.view_state.layers[0]["unit"]) == ("-450", "HU")


def test_a_crosshair_is_shown_when_asked_for_and_the_hosts_own_is_left_alone(told, sarcoma):
    node = told.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode") or told.scene.AddNewNodeByClass(
        "vtkMRMLCrosshairNode"
    )
    node.SetCrosshairMode(node.ShowSmallBasic)
    told.set(foreground_opacity=0.4)
    assert node.GetCrosshairMode() == node.ShowSmallBasic
    told.set(crosshair=True)
    assert node.GetCrosshairMode() == node.ShowBasic
    told.display.jump((10.0, -20.0, 30.0))
    np.testing.assert_allclose(node.GetCrosshairRAS(), (-10.0, 20.0, 30.0))
    told.set(crosshair=False)
    assert node.GetCrosshairMode() == node.NoCrosshair


def test_windows_are_in_the_modalitys_unit(told, sarcoma):
    node = told.nodes
    assert display.window_of(node["CT"]) == (-160, 240)
    told.set(windows={"CT": "bone", "PET": "0-5"})
    assert display.window_of(node["CT"]) == (-450, 1050)
    assert display.window_of(node["PET"]) == (0, 5)
    assert display.colors_of(node["PET"]) == "PET heat"
    low, high = display.window_of(node["MR_T1"])
    values = sarcoma.volumes["MR_T1"].array[sarcoma.valid["MR_T1"]]
    assert low == pytest.approx(np.percentile(values, 1), abs=1)
    assert high == pytest.approx(np.percentile(values, 99.5), rel=0.01)
    assert range_of(sarcoma, "CT", "no such window") == (-160, 240)
    assert [choices(key)[0] for key in ("CT", "PET", "MR_T1")] == ["soft tissue", "auto", "auto"]


def test_uncertainty_is_shown_above_the_threshold_in_the_range_that_the_measure_can_reach(done):
    node, legend = done.nodes["predictive_entropy"], done.view_state.legend
    assert layers(done)[2] == "predictive_entropy"
    assert (legend["low"], legend["above"], legend["unit"]) == (0.0, 0.3, "nat")
    assert legend["high"] == pytest.approx(-(0.6 * np.log(0.6) + 0.4 * np.log(0.4)), rel=1e-3)
    assert display.lower_threshold_of(node) == pytest.approx(0.3)
    assert legend["colors"] == colors.css_gradient(colors.color_node(done.scene, "Inferno"))
    done.set(uncertainty_above=0.1)
    assert display.lower_threshold_of(node) == pytest.approx(0.1)
    done.set(uncertainty_map="fusion")
    assert layers(done)[2] == "fusion_uncertainty"
    assert done.view_state.legend["unit"].startswith("probability")
    done.set(show_uncertainty=False)
    assert layers(done)[2] is None


def test_another_result_gets_a_range_of_its_own(done, answers, sarcoma):
    before = done.view_state.legend["high"]
    done.run()
    asked = [a for a in done.engine.waiting("segment") if a.progress][-1]
    asked.give(answers["prediction"](asked, sarcoma, (CORE,), ((FIRST, 0.9),)))
    done.pump()
    assert done.view_state.legend["high"] == pytest.approx(-(0.9 * np.log(0.9) + 0.1 * np.log(0.1)), rel=1e-3) != before


@pytest.mark.parametrize(("name", "segment"), [("show_lesion", "lesion"), ("show_band", "outer")])
def test_outlines_are_shown_as_the_reader_says(done, name, segment):
    node = done.nodes["lesion" if segment == "lesion" else "contours"]
    for on in (True, False):
        done.set(**{name: on})
        assert bool(node.GetDisplayNode().GetSegmentVisibility(segment)) is on


def test_swipe_and_checkerboard_put_both_pictures_side_by_side():
    first, second = np.zeros((8, 8, 8), np.uint8), np.ones((8, 8, 8), np.uint8)
    swiped = compared(first, second, "swipe", 0.25)
    assert (swiped[..., :2].max(), swiped[..., 2:].min()) == (0, 1)
    board = compared(first, second, "checkerboard", 0.0)
    assert board.mean() == 0.5
    assert (board[0, 0, 0], board[0, 0, 1], board[1, 0, 1]) == (0, 1, 0)


def test_a_swipe_shows_the_reference_and_the_other_image_in_their_windows(told, sarcoma):
    told.set(compare="swipe", compare_with="MR_T1", compare_position=0.5)
    assert layers(told) == ("compare", None, None)
    shown = volumes.array_of(told.nodes["compare"])
    half = sarcoma.grid.shape[2] // 2
    ct = np.clip((sarcoma.volumes["CT"].array + 160) / 400, 0, 1) * 255
    np.testing.assert_array_equal(shown[..., :half], ct.astype(np.uint8)[..., :half])
    assert (shown[..., half:] != ct.astype(np.uint8)[..., half:]).mean() > 0.5
    told.set(compare_position=1.0)
    np.testing.assert_array_equal(shown, ct.astype(np.uint8))
    told.set(windows={"CT": "bone"})
    assert (shown != ct.astype(np.uint8)).any()
    told.set(compare="off")
    assert layers(told)[0] == "fused"


def test_the_value_under_the_cursor_has_its_unit(done, sarcoma):
    k, j, i = 6, 40, 25
    x, y, z = sarcoma.grid.to_physical(np.array([i, j, k]))
    found = done.display.probe((-x, -y, z))
    arrays = {key: sarcoma.volumes[key].array[k, j, i] for key in sarcoma.modalities}
    assert found == {
        "CT": f"{arrays['CT']:.0f} HU",
        "PET": f"{arrays['PET']:.2f} SUVbw",
        "MR_T1": f"{arrays['MR_T1']:.0f}",
        "lesion probability": "0.60",
    }
    assert done.display.probe((9999.0, 0.0, 0.0)) == {}


def test_where_an_image_sees_nothing_it_says_so(told, sarcoma):
    valid = {**sarcoma.valid, "PET": np.zeros(sarcoma.grid.shape, bool)}
    from dataclasses import replace

    told.open_case(replace(sarcoma, valid=valid))
    x, y, z = sarcoma.grid.to_physical(np.array([10, 10, 5]))
    assert told.display.probe((-x, -y, z))["PET"] == "not imaged"
    told.forget()
    assert told.display.probe((-x, -y, z)) == {}
