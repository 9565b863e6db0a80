"""docs/reference from what the source says: one Markdown page a package, one for the command line, and an index.

Usage: python scripts/reference.py [FOLDER]. The source is read, not run (griffe); the command line's page is typer's.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

import griffe
from DiffuFuseMedLib.cli import app
from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "DiffuFuseMedLib"
SOURCE = f"DiffuFuseMed/{PACKAGE}"
TOLD_ELSEWHERE = ("cli",)  # its functions are commands, which cli.md describes
WIDTH = 110


def pages() -> dict[str, str]:
    """The text of every page by its file name."""
    root = griffe.load(PACKAGE, search_paths=[ROOT / "DiffuFuseMed"], allow_inspection=False)
    packages = {n: m for n, m in sorted(root.modules.items()) if n not in TOLD_ELSEWHERE and is_public(m)}
    texts = {f"{name}.md": page(module) for name, module in packages.items()}
    return {"index.md": index(root, packages), "cli.md": command_line(), **texts}


def page(package: griffe.Module) -> str:
    parts = [part for module in modules(package) if (part := section(module))]
    return "\n\n".join([f"# {package.name}", prose(package), *parts]) + "\n"


def modules(package: griffe.Module) -> Iterator[griffe.Module]:
    """The package and all below it, in the order of their names."""
    yield package
    for name in sorted(package.modules):
        if is_public(package.modules[name]):
            yield from modules(package.modules[name])


def section(module: griffe.Module) -> str:
    """A module's classes and functions in the order of its file; empty for one that has none."""
    entries = [entry(member) for member in own(module) if member.is_class or member.is_function]
    if not entries:
        return ""
    where = module.filepath.relative_to(ROOT / "DiffuFuseMed" / PACKAGE).as_posix()
    link = f"[{where}](../../{SOURCE}/{where})"
    return "\n\n".join([f"## {short(module)}", f"{link}: {prose(module)}", *entries])


def entry(thing: griffe.Class | griffe.Function) -> str:
    parts = [f"### {thing.name}", signature(thing), prose(thing)]
    if thing.is_class:
        parts += [method(m) for m in own(thing) if m.is_function or "property" in m.labels]
    return "\n\n".join(part for part in parts if part)


def method(member: griffe.Function | griffe.Attribute) -> str:
    """One item of the list below a class."""
    head = member.signature() if member.is_function else member.name
    return f"- `{head}`" + (f": {' '.join(prose(member).split())}" if member.docstring else "")


def signature(thing: griffe.Class | griffe.Function) -> str:
    word = "class" if thing.is_class else "def"
    bases = f"  # {', '.join(map(str, thing.bases))}" if thing.is_class and thing.bases else ""
    text = f"{word} {thing.signature()}{bases}"
    return f"```python\n{fill(text, WIDTH, subsequent_indent='    ', break_long_words=False)}\n```"


def own(parent: griffe.Module | griffe.Class) -> list[griffe.Object]:
    """What is public and written here, not imported, in the order of the file."""
    members = [m for m in parent.members.values() if not m.is_alias and is_public(m) and m.lineno]
    return sorted(members, key=lambda m: m.lineno)


def is_public(thing: griffe.Object) -> bool:
    return not thing.name.startswith("_")


def prose(thing: griffe.Object) -> str:
    """The docstring, its asterisks and angle brackets as they are; what is indented in it stays code."""
    lines = thing.docstring.value.splitlines() if thing.docstring else []
    plain = [line if line.startswith("    ") else line.replace("*", "\\*").replace("<", "&lt;") for line in lines]
    return "\n".join(plain)


def short(module: griffe.Module) -> str:
    return module.path.removeprefix(f"{PACKAGE}.")


def index(root: griffe.Module, packages: dict[str, griffe.Module]) -> str:
    first = {name: " ".join(prose(module).split("\n\n")[0].split()) for name, module in packages.items()}
    rows = [f"| [{name}]({name}.md) | {line} |" for name, line in first.items()]
    names = [f"- [`{alias.name}`]({home(alias)})" for alias in public_names(root)]
    return "\n".join([
        "# Reference", "", "Written by `make reference` from the docstrings: change those, not these pages.", "",
        prose(root), "", *names, "",
        "| package | what |", "|---|---|", *rows, "| [command line](cli.md) | every command and option |", "",
    ])  # fmt: skip


def public_names(root: griffe.Module) -> list[griffe.Alias]:
    return [root.members[str(name).strip("'\"")] for name in root.exports]


def home(alias: griffe.Alias) -> str:
    """The page and heading of the module that a public name comes from."""
    module = alias.target_path.removeprefix(f"{PACKAGE}.").rsplit(".", 1)[0]
    return f"{module.split('.')[0]}.md#{module.replace('.', '')}"


def command_line() -> str:
    command = get_command(app)
    text = get_docs_for_click(obj=command, ctx=Context(command), name="diffufusemed", title="Command line")
    return text.strip() + "\n"


def write(folder: Path) -> None:
    """Write every page, and remove those of packages that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = pages()
    for old in set(folder.glob("*.md")) - {folder / name for name in texts}:
        old.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "reference")
