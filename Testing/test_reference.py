"""docs/reference says what the source says, and its links lead somewhere."""

import importlib.util
import re
from pathlib import Path

import pytest
from DiffuFuseMedLib.cli import app
from typer.main import get_command

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def texts(reference):
    return reference.pages()


def test_the_pages_are_those_that_the_source_gives(texts):
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    stale = sorted(name for name in texts.keys() | there.keys() if texts.get(name) != there.get(name))
    assert not stale, "run `make reference`"


def test_a_page_gives_signature_docstring_and_source(texts):
    _, _, cropped = texts["core.md"].partition("`cropped(")
    assert cropped.startswith("start_kji: tuple[int, int, int], stop_kji: tuple[int, int, int]) -> Case`: The case cut")
    assert "[core/grid.py](../../DiffuFuseMed/DiffuFuseMedLib/core/grid.py): Grid: where" in texts["core.md"]
    assert "def load_case(folder: str | Path," in texts["preprocessing.md"]


def test_what_is_private_is_on_no_page(texts):
    assert not [name for name, text in texts.items() if re.search(r"^(def|class|###|- `) ?_", text, re.MULTILINE)]


def test_every_command_is_on_the_page_of_the_command_line(texts):
    names = get_command(app).commands
    assert {"run", "fuse", "evaluate"} <= set(names)
    assert not [name for name in names if f"## `diffufusemed {name}`" not in texts["cli.md"]]


def test_every_link_leads_to_a_file_and_a_heading(texts):
    for name, text in texts.items():
        for target in re.findall(r"\]\(([^)\s]+\.(?:md|py)[^)\s]*)\)", text):
            file, _, heading = target.partition("#")
            assert file in texts or (FOLDER / file).is_file(), f"{name}: {target}"
            headings = re.findall(r"^#+ (\S+)$", texts.get(file, ""), re.MULTILINE)
            assert not heading or heading in [h.replace(".", "") for h in headings], f"{name}: {target}"


def test_pages_of_packages_that_are_gone_are_removed(reference, texts, tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "pages", lambda: texts)
    (tmp_path / "gone.md").write_text("# gone", encoding="utf-8")
    reference.write(tmp_path)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == texts
