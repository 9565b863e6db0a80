"""Names from outside end up inside the folder, readable on any system."""

from pathlib import PurePosixPath

import pytest
from DiffuFuseMedLib.web.http.names import free_path, safe_path


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("CT/a.dcm", "CT/a.dcm"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("..\\..\\windows\\a.dcm", "windows/a.dcm"),
        ("C:\\data\\a.dcm", "C_/data/a.dcm"),
        ("a/./b//c.nii.gz", "a/b/c.nii.gz"),
        ("con.txt", "_con.txt"),
        ("CON", "_CON"),
        ("control.dcm", "control.dcm"),
        ("a. . ", "a"),
        ("...", "_"),
        ("new\nline\0.dcm", "new_line_.dcm"),
        ("cafe\u0301.nrrd", "café.nrrd"),
        ("gnp\u202e.exe", "gnp.exe"),
        ("IM0001", "IM0001"),
        (".hidden", ".hidden"),
        ("x" * 300 + ".nii.gz", "x" * 113 + ".nii.gz"),
        ("/".join("abcdefghijklmnopqrst"), "/".join("efghijklmnopqrst")),
    ],
)
def test_a_name_is_made_safe_and_keeps_its_folders(given, wanted):
    assert safe_path(given) == PurePosixPath(wanted)


@pytest.mark.parametrize("name", ["", "/", "..", "CT/.DS_Store", "__MACOSX/CT/a.dcm", "Thumbs.db", "CT/._a.dcm"])
def test_what_systems_add_by_themselves_is_left_away(name):
    assert safe_path(name) is None


def test_a_taken_name_gets_a_number(tmp_path):
    for _ in range(3):
        free_path(tmp_path, PurePosixPath("a.dcm")).touch()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a-2.dcm", "a-3.dcm", "a.dcm"]
