"""The public names of the library: all are there, none brings torch before it is used."""

import ast
import subprocess
import sys
from pathlib import Path

import DiffuFuseMedLib
import pytest


def in_a_new_python(statement: str) -> str:
    command = [sys.executable, "-c", f"import sys, DiffuFuseMedLib as library; {statement}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_importing_the_library_brings_no_heavy_package():
    heavy = "{'torch', 'monai', 'numpy', 'SimpleITK', 'matplotlib'}"
    assert in_a_new_python(f"print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_a_volume_and_a_case_are_had_without_torch():
    told = in_a_new_python("library.load_case, library.Volume, library.list_models; print('torch' in sys.modules)")
    assert told == "False"


def test_a_script_finds_what_it_begins_with():
    wanted = {"load_case", "predict", "fuse", "write_report", "Volume", "Case", "Prediction", "Grid", "InputError"}
    assert wanted <= set(DiffuFuseMedLib.__all__)


@pytest.mark.parametrize("name", DiffuFuseMedLib.__all__)
def test_a_public_name_is_listed_found_and_documented(name):
    assert name in dir(DiffuFuseMedLib)
    assert getattr(DiffuFuseMedLib, name).__doc__


def test_an_unknown_name_is_told_as_python_tells_it():
    with pytest.raises(AttributeError, match="module 'DiffuFuseMedLib' has no attribute 'segment'"):
        _ = DiffuFuseMedLib.segment


def test_a_type_checker_is_told_the_same_names():
    tree = ast.parse(Path(DiffuFuseMedLib.__file__).read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    homes = {alias.asname or alias.name: f"{node.module}:{alias.name}" for node in block.body for alias in node.names}
    assert homes == DiffuFuseMedLib._HOMES
    assert sorted(homes) == sorted(DiffuFuseMedLib.__all__)
