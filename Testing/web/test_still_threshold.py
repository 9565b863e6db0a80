"""The threshold in hand: Slicer's own application without a page, on a loop of asyncio as in the workspace."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.mrml import editing, segmentations, volumes
from DiffuFuseMedLib.web.tools import Tools
from trame_slicer.core import SlicerApp

GRID = Grid((12, 10, 8), (1.0, 1.0, 3.0), (0.0, 0.0, 0.0))


class State(SimpleNamespace):
    """Trame's, whose changes nobody hears."""

    def update(self, values):
        self.__dict__.update(values)

    def change(self, *_names):
        return lambda call: call


@pytest.fixture
def at_hand():
    """Tools at a lesion, with the image and the segmentation that they work on."""
    app, state = SlicerApp(), State()
    display = SimpleNamespace(per_shown=lambda _role: 1.0, unit_of=lambda _role: "HU")
    values = np.zeros(GRID.shape, np.float32)
    values[:, :, 6:] = 100.0
    image = volumes.add_volume(app.scene, values, GRID, "CT", role="CT")
    lesion = segmentations.add_segmentation(app.scene, "Lesion", image)
    segmentations.set_mask(lesion, "lesion", values > 50, image)
    tools = Tools(app, state, display)
    tools.edit(lesion, image, "lesion")
    yield SimpleNamespace(tools=tools, state=state, image=image, lesion=lesion)
    app.scene.Clear(True)
    app.io_manager.cache_dir.cleanup()


def drawn(at_hand):
    """A list that grows by one each time the previews are drawn anew."""
    heard, node = [], at_hand.tools._threshold_effect.get_parameter_node()
    node.AddObserver("ModifiedEvent", lambda *_: heard.append(1))
    return heard


def test_a_threshold_in_hand_draws_nothing_while_the_hand_is_still(at_hand):
    async def held():
        at_hand.tools.choose("threshold")
        heard, going = drawn(at_hand), asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.sleep(0.5)
        return heard, going

    assert asyncio.run(held()) == ([], set())


def test_it_starts_between_dark_and_bright_and_a_new_value_is_drawn_once(at_hand):
    at_hand.tools.choose("threshold")
    assert at_hand.state.threshold == [pytest.approx(50, abs=1), 100.0]
    assert at_hand.state.threshold_ends == [0.0, 100.0]
    heard = drawn(at_hand)
    at_hand.tools._threshold([20.0, 80.0])
    assert len(heard) == 1
    assert at_hand.tools._threshold_effect.get_threshold_min_max_values() == (20.0, 80.0)


def test_the_preview_is_held_to_the_region_that_the_editor_is_held_to(at_hand):
    effect, node = at_hand.tools._threshold_effect, at_hand.tools.editor_node
    at_hand.tools.choose("threshold")
    assert effect.outside() is None
    heard = drawn(at_hand)
    region = np.zeros(GRID.shape, bool)
    region[2:4, 2:5, 3:9] = True
    editing.restrict(node, at_hand.lesion, region, at_hand.image)
    assert heard, "another region's limits are not drawn"
    assert effect.outside().labels.GetDimensions() == GRID.size


def test_a_stroke_of_another_tool_draws_no_preview(at_hand):
    heard = drawn(at_hand)
    at_hand.tools.choose("paint")
    segmentations.set_mask(at_hand.lesion, "lesion", np.zeros(GRID.shape, bool), at_hand.image)
    assert heard == []


def test_what_a_tool_does_to_all_is_a_rule_with_a_name_and_a_hand_led_one_has_none(at_hand):
    mask = np.zeros(GRID.shape, bool)
    at_hand.tools.choose("threshold")
    name, edit = at_hand.tools.edit_of_all()
    assert (name, edit(mask, None).sum()) == ("the threshold", mask.size // 2)
    at_hand.tools.choose("islands")
    assert at_hand.tools.edit_of_all()[0] == "the largest piece"
    at_hand.tools.choose("paint")
    assert at_hand.tools.edit_of_all() is None
