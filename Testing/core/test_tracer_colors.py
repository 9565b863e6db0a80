"""The ramps of tracers, by their definitions and by what a reader needs of them."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.tracer_colors import TRACER_COLORS, tracer_rgba


def luminance(rgb):
    """Rec. 709."""
    return rgb @ [0.2126, 0.7152, 0.0722]


def test_hot_iron_is_the_standards_palette():
    # DICOM PS3.6, B.1.1: red rises by two a step up to 254 at 127, then green, then blue by four from 192 on.
    table = np.round(tracer_rgba("PET hot iron")[:, :3] * 255).astype(int)
    assert table[[0, 1, 127, 128, 129, 192, 193, 255]].tolist() == [
        [0, 0, 0], [2, 0, 0], [254, 0, 0], [255, 0, 0], [255, 2, 0], [255, 128, 0], [255, 130, 4], [255, 254, 252],
    ]  # fmt: skip


def test_heat_uses_the_whole_window_and_ends_in_a_color():
    heat = tracer_rgba("PET heat")[:, :3]
    assert heat[0].tolist() == [0, 0, 0] and heat[-1].tolist() == [1, 1, 0]
    assert heat[127].round(1).tolist() == [1, 0, 0]
    steps = np.diff(luminance(heat))
    assert steps.min() > 0


def test_the_rainbow_runs_from_blue_to_red_by_way_of_green():
    rainbow = tracer_rgba("PET rainbow")[:, :3]
    assert [int(rainbow[n].argmax()) for n in (20, 128, 255)] == [2, 1, 0]
    assert rainbow[-1].tolist() == [1, 0, 0]


@pytest.mark.parametrize("name", ["PET heat", "PET hot iron", "PET rainbow"])
def test_where_there_is_no_uptake_nothing_covers_the_picture_below(name):
    opacity = tracer_rgba(name)[:, 3]
    assert opacity[0] == 0 and (opacity[26:] == 1).all() and (np.diff(opacity) >= 0).all()


def test_inverse_gray_is_white_for_nothing_and_covers():
    table = tracer_rgba("PET inverse gray")
    assert table[0].tolist() == [1, 1, 1, 1] and table[-1].tolist() == [0, 0, 0, 1]


def test_no_two_are_alike():
    tables = [tracer_rgba(name) for name in TRACER_COLORS]
    assert all(np.abs(a - b).max() > 0.3 for n, a in enumerate(tables) for b in tables[:n])
