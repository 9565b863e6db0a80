"""What Slicer's own Python lacks is asked for by nothing that the module needs before the user agrees to install it."""

import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "DiffuFuseMed"
LACKING = (
    "matplotlib jinja2 highdicom rich typer psutil pydantic torch monai safetensors trame trame_client trame_server "
    "trame_slicer"
)
PARTS = (
    "session",
    "mrml",
    "review",
    "engine.client",
    "engine.client.child",
    "io",
    "io.dicom.suv",
    "io.export",
    "models.registry",
    "preprocessing.align",
)
BLOCKED = f"""
import importlib, sys
class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {LACKING.split()!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name.split(".")[0])
sys.meta_path.insert(0, Lacking())
"""


def run_blocked(code: str) -> subprocess.CompletedProcess:
    """Run code in a Python where these packages cannot be imported."""
    command = [sys.executable, "-c", BLOCKED + code]
    return subprocess.run(command, cwd=LIBRARY, capture_output=True, text=True, timeout=120, check=False)


def test_what_slicer_runs_is_imported_without_them():
    names = [f"DiffuFuseMedLib.{part}" for part in PARTS]
    result = run_blocked(f"for name in {names}: importlib.import_module(name); print(name)")
    assert result.stdout.split() == names, result.stderr


def test_the_block_itself_blocks():
    result = run_blocked("import matplotlib")
    assert "No module named 'matplotlib'" in result.stderr


def test_the_report_says_in_one_sentence_what_it_lacks():
    code = """
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.session import exports
try:
    exports._report()
except InputError as error:
    print(error)
"""
    result = run_blocked(code)
    assert "jinja2" in result.stdout, result.stderr
    assert result.stdout.count("\n") == 1


def test_inferno_needs_no_matplotlib_and_is_matplotlibs():
    from matplotlib import colormaps

    code = "from DiffuFuseMedLib.mrml.inferno import inferno_rgb; print(inferno_rgb().tolist())"
    told = run_blocked(code)
    assert told.returncode == 0, told.stderr
    rgb = eval(told.stdout)
    assert rgb[0] == pytest.approx(colormaps["inferno"](0)[:3], abs=0.5 / 255)
    assert rgb[128] == pytest.approx(colormaps["inferno"](128)[:3], abs=0.5 / 255)
    assert len(rgb) == 256
