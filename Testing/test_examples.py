"""Every example runs as it stands, on the shipped case, and writes below out/ only."""

import re
import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


def test_examples_are_numbered_without_a_gap():
    assert [int(path.name[:2]) for path in EXAMPLES] == list(range(1, len(EXAMPLES) + 1))
    assert EXAMPLES[0].name == "01_load_case.py"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_writes_below_out_only(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    said = capsys.readouterr().out
    assert said
    assert {entry.name for entry in tmp_path.iterdir()} <= {"out"}
    assert all(Path(name).is_file() for name in re.findall(r"\bout/\S+\.\w+", said))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_says_what_it_shows(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith('"""') and lines[0].endswith('"""')
    assert 10 <= sum(bool(line.strip()) for line in lines) <= 40
