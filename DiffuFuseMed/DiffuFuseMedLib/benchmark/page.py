"""The page of a suite: HTML that needs nothing beside it, and Markdown with the pictures beside it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined

from .. import __version__
from .. import report as report_package
from ..core.staging import staged
from ..core.whole_file import write_whole
from ..report.content import data_uri
from .parts import Missing, Part, Picture, Table
from .plan import machine_of
from .request import Request
from .results import Results

LIBRARIES = ("torch", "monai", "numpy", "scipy", "SimpleITK")
FIGURES = "figures"


@dataclass(frozen=True)
class Page:
    """title; facts: what was run, by name, in order; parts: in the order shown."""

    title: str
    facts: dict[str, str]
    parts: tuple[Part, ...]


def facts_of(request: Request, results: Results, command: str) -> dict[str, str]:
    """Everything that somebody needs to run it again."""
    minutes = request.minutes
    trained = f"{minutes:g} minutes of {request.cores} core(s) each, from scratch" if minutes else "not trained here"
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    failed = len(results.failed)
    return {
        "command": command,
        "machine": f"{machine_of(request.device)}, {platform.system()}",
        "versions": f"DiffuFuseMed {__version__}, Python {platform.python_version()}, {libraries}",
        "cases": f"{len(results.asked)}: {', '.join(results.asked)}",
        "held out": f"fold {request.fold} of {request.split_path.name}" if request.split.folds else "no split",
        "models": ", ".join(results.systems) or "none",
        "training": trained,
        "seeds": ", ".join(map(str, request.seeds)),
        "samples": str(request.samples),
        "jobs": f"{len(results.done)}, of which {failed} failed" if failed else f"{len(results.done)}",
        "made": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
    }


def write_page(page: Page, name: str, out: Path) -> list[Path]:
    """<name>.html, <name>.md and figures/<name>-*.png below `out`. Raises InputError when the disk refuses."""
    pictures = {f"{name}-{part.name}.png": part.png for part in page.parts if isinstance(part, Picture)}
    if pictures:
        with staged(out / FIGURES) as folder:
            for file, png in pictures.items():
                write_whole(folder / file, png)
    written = {f"{name}.html": as_html(page), f"{name}.md": as_markdown(page, name)}
    with staged(out) as folder:
        for file, text in written.items():
            write_whole(folder / file, text)
    return [out / file for file in written]


def as_html(page: Page) -> str:
    """One file that opens without a network."""
    shown = [{"kind": type(part).__name__, "part": part, "src": _src(part)} for part in page.parts]
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("benchmark.html.j2").render(page=page, shown=shown)


def as_markdown(page: Page, name: str) -> str:
    """The same, as text."""
    lines = [f"# {page.title}", "", *(f"- {key}: {_code(key, value)}" for key, value in page.facts.items())]
    for part in page.parts:
        lines += ["", f"## {part.title}", ""]
        lines += _markdown_of(part, name)
    return "\n".join(lines) + "\n"


def _markdown_of(part: Part, name: str) -> list[str]:
    if isinstance(part, Missing):
        return [f"Not filled: {part.why}"]
    if isinstance(part, Picture):
        return [f"![{part.says}]({FIGURES}/{name}-{part.name}.png)", "", *_notes(part.notes)]
    rows = [part.columns, ("---",) * len(part.columns), *part.rows]
    return [*("| " + " | ".join(map(_cell, row)) + " |" for row in rows), "", *_notes(part.notes)]


def _notes(notes: Sequence[str]) -> list[str]:
    return [f"- {note}" for note in notes]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(key: str, value: str) -> str:
    return f"`{value}`" if key == "command" else value


def _src(part: Part) -> str:
    return data_uri(part.png) if isinstance(part, Picture) else ""


def _template(name: str) -> str:
    """Its own, and the report's style."""
    package = __package__ if name.startswith("benchmark") else report_package.__name__
    return files(package).joinpath(name).read_text(encoding="utf-8")


__all__ = ["Page", "Table", "as_html", "as_markdown", "facts_of", "write_page"]
