"""Who may import whom: the contracts of pyproject.toml hold, and each of them bites when it is broken.

The contracts are import-linter's (https://import-linter.readthedocs.io); they are read as text here, never repeated.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "DiffuFuseMedLib"
LIBRARY = ROOT / "DiffuFuseMed" / PACKAGE
TORCH_FREE = ["core", "io", "preprocessing", "models.registry", "engine.wire", "engine.client", "review", "report"]
TORCH_FREE += ["mrml", "session", "desktop", "web"]


def lint_imports(folder: Path, *options: str) -> subprocess.CompletedProcess:
    """Run import-linter in `folder`, on the package that `PYTHONPATH` puts first."""
    command = [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache", *options]
    path = os.pathsep.join(str(folder / place) for place in ("", "DiffuFuseMed"))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def a_copy_of_the_package(tmp_path):
    """The library and its contracts in a folder of their own, free to be spoiled."""
    shutil.copytree(LIBRARY, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def add_import(folder: Path, module: str, statement: str) -> None:
    """Append `statement` to a module of the copied package; the module and its packages are made where they lack."""
    path = folder / PACKAGE / module
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "__init__.py").touch()
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{statement}\n")


def broken_contracts(report: str) -> set[str]:
    # A line may go on behind the verdict: "(215 ignored imports)".
    return {line.split(" BROKEN")[0].strip() for line in report.splitlines() if " BROKEN" in line}


def test_every_import_in_the_library_is_allowed():
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_faithful_copy_of_the_library_passes(a_copy_of_the_package):
    result = lint_imports(a_copy_of_the_package)
    assert result.returncode == 0, result.stdout + result.stderr


LAYERS = "Who may import whom"
TORCH = "What runs inside Slicer never reaches torch or monai, even indirectly"
ROOT_TORCH = "Importing the library alone never reaches torch or monai"
HOSTS = "Only mrml and the hosts know slicer, vtk, qt and trame"
RAY = "Only cluster knows ray"
SYSTEMS = "The published systems never import each other"
FACADE = "Hosts import the session's facade, and nothing behind it or below"

FORBIDDEN = {
    "core imports torch": ("core/volume.py", "import torch", {TORCH}),
    "core imports monai inside a function": ("core/volume.py", "def f():\n    import monai.transforms", {TORCH}),
    "core imports a higher layer": ("core/volume.py", "from ..metrics import overlap", {LAYERS}),
    "metrics import models": ("metrics/spoiled.py", "from ..models import zoo", {LAYERS}),
    "neighbors import each other": ("diffusion/spoiled.py", "from ..networks import spoiled", {LAYERS}),
    "the package itself imports torch": ("__init__.py", "import torch", {ROOT_TORCH}),
    "metrics import slicer": ("metrics/spoiled.py", "import slicer", {HOSTS}),
    "cli imports ray": ("cli/spoiled.py", "import ray", {RAY}),
    "io imports vtk": ("io/spoiled.py", "from vtkmodules import vtkCommonCore", {HOSTS}),
    "one system imports another": ("systems/spoiled_one.py", "from . import spoiled_two", {SYSTEMS}),
    "a host imports from behind the session's facade": ("web/spoiled.py", "from ..session import review", {FACADE}),
    "a host imports from below it": ("desktop/spoiled.py", "from ..core.case import Case", {FACADE}),
    "a module is on no line": ("spoiled.py", "import math", {LAYERS}),
}


@pytest.mark.parametrize(("module", "statement", "wanted"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_a_forbidden_import_breaks_its_contract(a_copy_of_the_package, module, statement, wanted):
    for target in ("training/spoiled.py", "networks/spoiled.py", "systems/spoiled_two.py"):
        add_import(a_copy_of_the_package, target, "")
    add_import(a_copy_of_the_package, module, statement)
    result = lint_imports(a_copy_of_the_package)
    assert result.returncode == 1, result.stdout + result.stderr
    assert wanted <= broken_contracts(result.stdout)


def test_torch_is_found_behind_a_detour(a_copy_of_the_package):
    add_import(a_copy_of_the_package, "metrics/spoiled.py", "import torch")
    add_import(a_copy_of_the_package, "core/volume.py", "from ..metrics import spoiled")
    result = lint_imports(a_copy_of_the_package, "--contract", "torch-free")
    assert result.returncode == 1
    assert f"{PACKAGE}.core.volume -> {PACKAGE}.metrics.spoiled" in result.stdout


def test_mrml_may_import_slicer(a_copy_of_the_package):
    add_import(a_copy_of_the_package, "mrml/spoiled.py", "import slicer")
    result = lint_imports(a_copy_of_the_package, "--contract", "host-libraries")
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_part_that_runs_inside_slicer_is_under_the_torch_contract():
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contract = pyproject.split('id = "torch-free"')[1].split("forbidden_modules")[0]
    places = {part: LIBRARY / part.replace(".", "/") for part in TORCH_FREE}
    there = [part for part, place in places.items() if place.is_dir() or place.with_suffix(".py").is_file()]
    missing = [part for part in there if f'"{PACKAGE}.{part}"' not in contract]
    assert "core" in there
    assert not missing, f"add {missing} to source_modules of the contract torch-free in pyproject.toml"
