"""The values under the mouse: read now and then, of the place where it is then."""

import pytest
import slicer
from DiffuFuseMedLib.session.cursor_probe import PROBE_S, CursorProbe


@pytest.fixture
def inside(sarcoma):
    """RAS mm of a voxel in the middle."""
    x, y, z = sarcoma.grid.to_physical([n // 2 for n in sarcoma.grid.size])
    return -x, -y, z


def test_many_moves_are_read_once_and_the_last_one_counts(told, inside):
    shown = []
    probe = told.follow_cursor(lambda place, values: shown.append((place, values)))
    for place in ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), inside):
        probe.moved(place)
    told.pump(2 * PROBE_S)
    assert [place for place, _ in shown] == [inside]
    assert shown[0][1] == told.display.probe(inside) != {}
    probe.moved(inside)
    told.pump(2 * PROBE_S)
    assert len(shown) == 2


def test_a_mouse_that_never_rests_is_read_all_the_same(clock):
    clock.scene, shown = slicer.vtkMRMLScene(), []
    probe = CursorProbe(clock, lambda place: {"at": place}, lambda place, values: shown.append(values["at"]))
    for step in range(1, 9):
        probe.moved((float(step), 0.0, 0.0))
        clock.pass_to(step * PROBE_S / 2)
    assert shown == [(2.0, 0.0, 0.0), (4.0, 0.0, 0.0), (6.0, 0.0, 0.0), (8.0, 0.0, 0.0)]


def test_a_mouse_that_left_the_views_is_over_nothing(told):
    shown = []
    told.follow_cursor(lambda place, values: shown.append((place, values))).moved(None)
    told.pump(2 * PROBE_S)
    assert shown == [(None, {})]
