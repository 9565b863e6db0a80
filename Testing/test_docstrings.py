"""Whoever calls a function on arrays is told their shape, and whoever may be refused how: in its docstring, or in that
of its class."""

import ast
import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import DiffuFuseMedLib
import pytest

LIBRARY = Path(DiffuFuseMedLib.__file__).parent
PACKAGES = ("core", "preprocessing", "metrics", "uncertainty", "losses", "diffusion", "networks")
ARRAYS = {"ndarray", "Tensor", "NDArray"}
# [k, j, i], (B, C, *space), (n,), (..., 3), 4 x 4; or, where it does not matter, words for it
AXIS = r"(?:[A-Za-z]|\d+|\.\.\.|\*[\w.]+|bins|features|labels)"
SHAPE = re.compile(
    rf"\[(?:\w, )+\w\]|(?<!\w)\({AXIS},(?: {AXIS},?)*\)|\(B, [^)]+\)|\d x \d|\bshape\b|\bscalars?\b|\b1D\b"
)


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """Public functions and methods, each with the docstring of its class."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from functions(node, ast.get_docstring(node) or "")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield within, node


def speaks_of_arrays(function: ast.FunctionDef) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    hints = [argument.annotation for argument in arguments] + [function.returns]
    named = [node for hint in hints if hint for node in ast.walk(hint)]
    return bool({getattr(n, "attr", getattr(n, "id", "")) for n in named} & ARRAYS)


def without_a_shape(source: str) -> list[str]:
    """Names of public functions that take or give arrays and do not say of which shape."""
    found = [(within, f) for within, f in functions(ast.parse(source)) if speaks_of_arrays(f)]
    return [f.name for within, f in found if not SHAPE.search(f"{within} {ast.get_docstring(f) or ''}")]


def with_untold_error(source: str) -> list[str]:
    """Names of public functions that raise input_error() themselves and do not say InputError."""
    found = [(within, f) for within, f in functions(ast.parse(source)) if raises(f)]
    return [f.name for within, f in found if "InputError" not in f"{within} {ast.get_docstring(f) or ''}"]


def raises(function: ast.FunctionDef) -> bool:
    """Whether it raises input_error() itself, outside a try that catches what it raised."""
    caught = {node for block in ast.walk(function) if isinstance(block, ast.Try) for node in walk_all(block.body)}
    raised = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise) and node not in caught]
    return any(isinstance(e, ast.Call) and getattr(e.func, "id", "") == "input_error" for e in raised)


def walk_all(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    return chain.from_iterable(ast.walk(node) for node in nodes)


def in_package(package: str, faults: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """What is at fault in each file of the package that has a fault."""
    files = sorted((LIBRARY / package).rglob("*.py"))
    assert files
    found = {str(file.relative_to(LIBRARY)): faults(file.read_text(encoding="utf-8")) for file in files}
    return {name: names for name, names in found.items() if names}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_function_on_arrays_says_their_shape(package):
    assert not in_package(package, without_a_shape)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_function_that_refuses_input_says_so(package):
    assert not in_package(package, with_untold_error)


@pytest.mark.parametrize(
    ("docstring", "told"),
    [
        ("Bool [k, j, i] masks.", True),
        ("(B, C, *spatial) in and out.", True),
        ("Points, (..., 3).", True),
        ("Where it lies (on the grid).", False),
        ("(inner, outer) masks.", False),
        ("The mean.", False),
    ],
)
def test_a_shape_is_recognized(docstring, told):
    source = f'def f(x: np.ndarray | None) -> float:\n    """{docstring}"""'
    assert without_a_shape(source) == ([] if told else ["f"])


def test_the_docstring_of_the_class_serves_its_methods():
    source = 'class A:\n    """x: (k, n)."""\n    def f(self, x: Tensor): ...\nclass B:\n    def g(self) -> Tensor: ...'
    assert without_a_shape(source) == ["g"]


def test_private_functions_and_those_without_arrays_are_left_alone():
    assert without_a_shape("def _f(x: Tensor): ...\ndef g(x: int): ...") == []


def test_an_untold_error_is_found():
    body = '    if n < 1:\n        raise input_error("none", "one", "add one")\n'
    assert with_untold_error(f"def f(n):\n{body}") == ["f"]
    assert with_untold_error(f'def f(n):\n    """Raises InputError for none."""\n{body}') == []
