"""The extension configured and installed by cmake with small stand-ins of Slicer's macros, and run from there."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .test_packaging import MODULE, ROOT, shipped

HERE = Path(__file__).resolve().parent
PLACE = Path("lib/Slicer-5.11/qt-scripted-modules")
pytestmark = pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake, which Slicer's build installs with")


def cmake(*arguments):
    done = subprocess.run(["cmake", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The module folder of an installed extension."""
    folder = tmp_path_factory.mktemp("extension")
    told = cmake("-S", ROOT, "-B", folder / "build", f"-DSlicer_DIR={HERE / 'cmake'}", "-DBUILD_TESTING=ON")
    assert "self test: DiffuFuseMed.py" in told
    assert "packed: DiffuFuseMed" in told
    cmake("--build", folder / "build")
    cmake("--install", folder / "build", "--prefix", folder / "slicer")
    return folder / "slicer" / PLACE


@pytest.fixture(scope="module")
def told(installed):
    """What the installed module finds, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, HERE / "installed_module.py", installed]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_file_is_installed_and_no_other(installed):
    there = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    library = {path for path in there if not path.startswith("Resources/")}
    assert library == shipped(".py") | shipped(".j2") | {"DiffuFuseMed.py"}
    for copied, source in (("", "Resources"), ("models", "models")):
        for name in ("UI", "Icons", "SampleData") if not copied else ("",):
            wanted = files_below(ROOT / source / name)
            assert files_below(installed / "Resources" / copied / name) == wanted


def files_below(folder):
    assert folder.is_dir()
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_the_installed_module_runs_from_its_own_files(installed, told):
    assert told["errors"] == []
    assert Path(told["library"]).parent == installed / "DiffuFuseMedLib"
    wanted = {name for name in shipped(".py") if not name.endswith(("__init__.py", "__main__.py"))}
    imported = {Path(path).relative_to(installed).as_posix() for path in told["imported"].values()}
    assert wanted <= imported
    assert {Path(told[part]).is_relative_to(installed) for part in ("panel", "icon", "story")} == {True}


def test_its_models_and_sample_data_are_the_installed_ones(installed, told):
    assert set(told["models"]) == {path.parent.name for path in (ROOT / "models").glob("*/model.json")}
    for folder in map(Path, told["models"].values()):
        members = json.loads((folder / "model.json").read_text(encoding="utf-8")).get("members", {})
        assert folder.is_relative_to(installed)
        assert all(list(place.glob("weights.*")) for place in ([folder.parent / m for m in members] or [folder]))
    assert len(told["samples"]) == 3
    for path in (*told["samples"], *told["thumbnails"]):
        assert Path(path).is_relative_to(installed) and Path(path).is_file()


def test_a_new_file_is_packaged_by_the_next_build(tmp_path):
    copied = tmp_path / "source"
    shutil.copytree(MODULE, copied / "DiffuFuseMed", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CMakeLists.txt", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, copied / name)
    for name in ("Resources", "models", "Testing"):
        (copied / name).symlink_to(ROOT / name)
    cmake("-S", copied, "-B", tmp_path / "build", f"-DSlicer_DIR={HERE / 'cmake'}")
    cmake("--build", tmp_path / "build")
    (copied / "DiffuFuseMed" / "DiffuFuseMedLib" / "core" / "new.py").touch()
    cmake("--build", tmp_path / "build")
    assert (tmp_path / "build" / PLACE / "DiffuFuseMedLib" / "core" / "new.py").is_file()
