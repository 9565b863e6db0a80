"""Hosts ask a Session for what its facade has, and for nothing behind it."""

import ast
import inspect
from pathlib import Path

import pytest
from DiffuFuseMedLib.session import Session, facade
from DiffuFuseMedLib.session.choices import ChoiceLogic
from DiffuFuseMedLib.session.display import DisplayLogic
from DiffuFuseMedLib.session.fusion import FusionLogic
from DiffuFuseMedLib.session.healthy import HealthyLogic
from DiffuFuseMedLib.session.lesion import Lesion
from DiffuFuseMedLib.session.persistence import PersistenceLogic
from DiffuFuseMedLib.session.probing import ProbingLogic
from DiffuFuseMedLib.session.review import ReviewLogic

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "DiffuFuseMed" / "DiffuFuseMedLib"
HOSTS = (LIBRARY / "web", LIBRARY / "desktop", ROOT / "benchmarks" / "web")
PARTS = {
    "display": (facade.DisplayFacade, DisplayLogic),
    "fusion": (facade.FusionFacade, FusionLogic),
    "healthy": (facade.HealthyFacade, HealthyLogic),
    "probing": (facade.ProbingFacade, ProbingLogic),
    "lesion": (facade.LesionFacade, Lesion),
    "review": (facade.ReviewFacade, ReviewLogic),
    "choices": (facade.ChoicesFacade, ChoiceLogic),
    "persistence": (facade.PersistenceFacade, PersistenceLogic),
}
SESSION = frozenset(("session", "_session"))


def public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def asked_beside_the_facade(source: str) -> list[str]:
    """What a host's source asks of a session, or of a part of one, that its facade does not have."""
    tree = ast.parse(source)
    names = {alias: kind for node in ast.walk(tree) for alias, kind in aliases(node)}
    asked = [
        (kind_of(node.value, names), node.attr, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    ]
    return [f"line {line}: {kind}.{name}" for kind, name, line in asked if kind and name not in offered(kind)]


def offered(kind: str) -> set[str]:
    return public(Session) if kind == "session" else public(PARTS[kind][0])


def kind_of(node: ast.expr, names: dict[str, str]) -> str:
    """ "session", the name of a part of it, or "" for anything else."""
    if isinstance(node, ast.Name):
        return "session" if node.id in SESSION else names.get(node.id, "")
    if not isinstance(node, ast.Attribute):
        return ""
    if node.attr in SESSION:
        return "session"
    return node.attr if node.attr in PARTS and kind_of(node.value, names) == "session" else ""


def aliases(node: ast.AST) -> list[tuple[str, str]]:
    """Names that an assignment gives to a session or a part of it."""
    if not isinstance(node, ast.Assign):
        return []
    pairs = []
    for target in node.targets:
        both = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
        pairs += zip(target.elts, node.value.elts, strict=False) if both else [(target, node.value)]
    named = [(t.id, kind_of(v, {})) for t, v in pairs if isinstance(t, ast.Name)]
    return [(name, kind) for name, kind in named if kind]


def test_hosts_ask_for_nothing_beside_the_facade():
    files = [file for host in HOSTS for file in sorted(host.rglob("*.py"))]
    files = [file for file in files if file.parent != LIBRARY / "web" / "http"]  # whose sessions are the browser's
    found = {file.relative_to(ROOT): asked_beside_the_facade(file.read_text(encoding="utf-8")) for file in files}
    assert len(files) > 40
    assert {str(file): lines for file, lines in found.items() if lines} == {}


def test_what_measures_the_page_knows_no_session():
    """It drives a browser: a session in its own process would be measured along."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in sorted(HOSTS[-1].glob("*.py"))]
    imported = {node.module for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {module.split(".")[1] for module in imported if module.startswith("DiffuFuseMedLib.")}
    assert ours == {"core", "preprocessing"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("self._session.context.say('info', 'x')", "session.context"),
        ("panel.session._review.settle()", "session._review"),
        ("session.review.settle()", "review.settle"),
        ("def f(self):\n    ui, review = panel.ui, panel.session.review\n    call(review.settle)", "review.settle"),
        ("work = self.session.persistence\nwork._scene(path)", "persistence._scene"),
    ],
)
def test_what_is_asked_beside_it_is_found(source, found):
    assert [line.split(": ")[1] for line in asked_beside_the_facade(source)] == [found]


def test_what_it_has_may_be_asked_for():
    assert asked_beside_the_facade("s = self._session.review\ns.next()\nself.session.set(alpha=1)\ncontext.say()") == []


@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_a_session_does_what_its_facade_says(part):
    said, does = PARTS[part]
    for name in public(said):
        wanted, there = inspect.getattr_static(said, name), inspect.getattr_static(does, name)
        assert isinstance(wanted, property) == isinstance(there, property), name
        if not isinstance(wanted, property):
            assert inspect.signature(wanted) == inspect.signature(there), name


def test_each_part_of_a_session_is_of_its_facade(told):
    assert {part: type(getattr(told, part)) for part in PARTS} == {part: does for part, (_, does) in PARTS.items()}


def test_the_nodes_of_a_session_are_to_be_read(told):
    with pytest.raises(TypeError):
        told.nodes["fused"] = None
