"""The pictures of README and docs: each is there, is a picture of sane size, and those of the script are all made."""

import ast
import re
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "Resources" / "Screenshots"
LARGEST = 400_000
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "models").glob("*/card.md"))]
PICTURE = re.compile(r"!\[[^\]]+\]\(([^)\s]+)\)")


def pictures_of(page):
    """The files that a page shows, as it names them relative to itself."""
    named = PICTURE.findall(page.read_text(encoding="utf-8"))
    return [(page.parent / name).resolve() for name in named if not re.match(r"https?:", name)]


def made_by_the_script():
    """The names that scripts/screenshots.py yields; it is read and not imported, for it needs a browser."""
    tree = ast.parse((ROOT / "scripts" / "screenshots.py").read_text(encoding="utf-8"))
    yielded = [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple)
    ]
    names = {pair.elts[0].value for pair in yielded}
    return {f"{name}.png" if name == "desktop" else f"{name}.webp" for name in names}


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_every_picture_that_a_page_names_is_there(page):
    assert [path for path in pictures_of(page) if not path.is_file()] == []


def test_the_workspace_is_shown_somewhere():
    shown = {path.name for page in PAGES for path in pictures_of(page) if path.parent == FOLDER}
    assert {"workspace.webp", "fusion.webp", "review.webp", "report.webp"} <= shown


def test_every_picture_that_the_script_makes_is_there():
    assert made_by_the_script() >= {"workspace.webp", "report.webp"}
    assert made_by_the_script() - {path.name for path in FOLDER.iterdir()} == set()


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_a_screenshot_is_large_enough_to_read_and_small_enough_to_keep(path):
    assert 10_000 < path.stat().st_size < LARGEST
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == {".png": "PNG", ".webp": "WEBP"}[path.suffix]
        assert 400 <= picture.width <= 2000 and 400 <= picture.height <= 3000
        # An empty view is black or gray all over.
        most = max(count for count, _ in picture.convert("L").getcolors(256))
        assert most < 0.9 * picture.width * picture.height
