"""The extension's package: every file that Slicer runs is taken, and the catalog entry follows its schema.

Rules: Slicer's CMake/SlicerMacroBuildScriptedModule.cmake (what is not listed is not packaged), and the Extensions
Index' schema v1.0.2.
"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "DiffuFuseMed"
KINDS = (("SCRIPTS", "py"), ("RESOURCES", "j2"))
BROWSER_ONLY = ("DiffuFuseMedLib/web/",)  # it needs trame
ALLOWED = {
    "$schema", "category", "scm_url", "scm_type", "build_dependencies", "build_subdirectory", "enabled",
    "tier", "dicom_support_rule",
}  # fmt: skip


def shipped(ending: str) -> set[str]:
    paths = {path.relative_to(MODULE).as_posix() for path in (MODULE / "DiffuFuseMedLib").rglob(f"*{ending}")}
    return {path for path in paths if not path.startswith(BROWSER_ONLY)}


def test_the_package_takes_every_file_of_the_library_but_the_browser_host():
    # What cmake makes of these lines is installed and compared in test_installed.py.
    text = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8")
    taken = re.findall(r"file\(GLOB_RECURSE (\w+) .*CONFIGURE_DEPENDS (\S+)\)", text)
    assert taken == [(f"MODULE_PYTHON_{kind}", f"DiffuFuseMedLib/*.{end}") for kind, end in KINDS]
    left_out = re.findall(r'list\(FILTER MODULE_PYTHON_SCRIPTS EXCLUDE REGEX "\^(\S+)"\)', text)
    assert left_out == list(BROWSER_ONLY)


def test_the_module_is_the_only_python_file_beside_its_library():
    assert [path.name for path in MODULE.glob("*.py")] == ["DiffuFuseMed.py"]  # Slicer takes each one for a module


def test_what_is_copied_is_there():
    copied = re.findall(r"file\(COPY (.*?) DESTINATION", (MODULE / "CMakeLists.txt").read_text(encoding="utf-8"))
    places = [place for line in copied for place in line.split()]
    assert {"../Resources/UI", "../Resources/Icons", "../Resources/SampleData", "../models"} <= set(places)
    assert [place for place in places if not (MODULE / place).exists()] == []


def test_the_project_has_the_name_of_its_catalog_entry():
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "project(DiffuFuseMed NONE)" in text
    assert "add_subdirectory(DiffuFuseMed)" in text
    assert (ROOT / "DiffuFuseMed.json").is_file()


def test_the_pictures_that_the_catalog_shows_are_there():
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    pictures = re.findall(r"main/(Resources/[^\"]+)", text)
    assert len(pictures) >= 2
    assert [picture for picture in pictures if not (ROOT / picture).is_file()] == []


def test_the_catalog_entry_follows_the_schema():
    raw = (ROOT / "DiffuFuseMed.json").read_bytes()
    entry = json.loads(raw)
    assert set(entry) <= ALLOWED
    assert {"$schema", "category", "scm_url"} <= set(entry)
    assert "v1.0.2" in entry["$schema"]
    assert entry["category"] == "Segmentation"  # on the Index' list of categories
    assert re.fullmatch(r"https://github\.com/[^/]+/Slicer\w+\.git", entry["scm_url"])  # a name that begins with Slicer
    assert entry["build_dependencies"] == []  # no C++, so that every platform can be packaged
    assert entry["tier"] in (1, 3, 5)
    assert b"\r" not in raw


@pytest.mark.parametrize("path", ["Resources/Icons/DiffuFuseMed.svg", "Resources/UI/DiffuFuseMed.ui", "LICENSE"])
def test_a_file_that_slicer_looks_for_is_there(path):
    assert (ROOT / path).stat().st_size > 0
