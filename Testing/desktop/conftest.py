"""The module in the stand-in for Slicer's Qt layer, with an engine whose child answers at once."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODULE = ROOT / "DiffuFuseMed" / "DiffuFuseMed.py"
STS_010 = ROOT / "Resources" / "SampleData" / "STS_010"
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))  # `host` is a package of Testing


@pytest.fixture
def slicer_host():
    """The stand-in with an empty scene; no slot may have raised in it."""
    import host

    host.start()
    yield host
    errors = list(host.slot_errors)
    host.close()
    assert not errors, errors[0].text


@pytest.fixture
def quick_engine(slicer_host, monkeypatch, tmp_path):
    """The panel's engine runs quick_server.py in its child; its Python is said to have everything."""
    from DiffuFuseMedLib.desktop import environment, workspace
    from DiffuFuseMedLib.desktop.qt_process import QtProcess
    from DiffuFuseMedLib.engine.client.engine import Engine

    class Told:
        def __init__(self, python, done):
            done(environment.Found(devices=(("cpu", "CPU", 2**33),)))

        def stop(self):
            """It has ended."""

    def engine(python, on_exit, later, on_reply):
        return Engine(python, None, 2**30, on_exit, on_reply, "quick_server", QtProcess, later)

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    told = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *([told] if told else [])]))
    monkeypatch.setattr(environment, "Check", Told)
    monkeypatch.setattr(workspace, "_engine", engine)


@pytest.fixture
def panel(slicer_host, quick_engine):
    """The module's widget, entered."""
    widget = slicer_host.load_module(MODULE)
    slicer_host.process_events(0.1)
    return widget


@pytest.fixture
def until(slicer_host, panel):
    """A function (condition, what): let Slicer work until it is so."""

    def wait(condition, what="it", seconds=180):
        there = slicer_host.process_events(until=condition, limit_s=seconds)
        assert there, f"{what}; message: {panel.workspace.session.view_state.message}"

    return wait


@pytest.fixture
def small_volumes(slicer_host):
    return make_small_volumes()


def make_small_volumes():
    """Volume nodes CT, PET and MR T1 on one small grid, with a ball that takes up SUV 8."""
    import slicer

    k, j, i = np.ogrid[:24, :40, :40]
    ball = (k - 12) ** 2 * 4 + (j - 20) ** 2 + (i - 20) ** 2 < 100
    matrix = np.diag([2.0, 2.0, 4.0, 1.0])
    arrays = {
        "CT": np.where(ball, 40, -50).astype(np.int16),
        "PET": np.where(ball, 8, 1).astype(np.float32),
        "T1": np.where(ball, 300, 700).astype(np.int16),
    }
    return {name: slicer.util.addVolumeFromArray(array, matrix, f"patient {name}") for name, array in arrays.items()}


@pytest.fixture
def open_case(panel, until):
    """A function: the panel with the scene's volumes aligned and fused."""

    def run():
        panel.ui.guessButton.click()
        panel.ui.registerCombo.setCurrentIndex(2)  # never: it is one grid
        panel.ui.openButton.click()
        until(lambda: panel.ui.fusionStateLabel.text.startswith("fused"), "the fused case")
        return panel

    return run


@pytest.fixture
def segment(panel, until):
    """A function: the panel after a run."""

    def run():
        panel.ui.runButton.click()
        until(lambda: panel.ui.numbersTable.rowCount > 0, "the numbers")
        until(lambda: not panel.workspace.session.view_state.explaining, "the reasons")
        return panel

    return run


@pytest.fixture
def opened(panel, small_volumes, open_case):
    """The panel with the small volumes aligned and fused."""
    return open_case()


@pytest.fixture
def segmented(opened, segment):
    """The panel after a run."""
    return segment()


def node_of(role):
    """The scene's node of a role; None when there is none."""
    import slicer

    nodes = slicer.util.getNodesByClass("vtkMRMLDisplayableNode")
    return next((node for node in nodes if node.GetAttribute("DiffuFuseMed.role") == role), None)


@pytest.fixture
def role():
    return node_of
