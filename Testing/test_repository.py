"""The repository as a whole: sizes, licenses of what it ships, no pickles, no traces of a build machine."""

import ast
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import tomllib
import zlib
from pathlib import Path

import DiffuFuseMedLib
import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "DiffuFuseMed" / "DiffuFuseMedLib"
SAMPLE = ROOT / "Resources" / "SampleData" / "STS_010"
MODELS = ROOT / "models"

MEGABYTE = 10**6
LARGEST_WEIGHTS = 16 * MEGABYTE
LARGEST_FILE = 4 * MEGABYTE
LARGEST_TREE = 45 * MEGABYTE
LARGEST_CLONE = 95 * MEGABYTE  # the Extensions Index refuses a shallow clone of 100 MB: the files, and their objects

BUILD_MACHINE_PATH = re.compile(rb"(?<![\w.~-])/(?:work|root|home)/[\w.]")
PICKLING_MODULES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"torch.load", "torch.save", "torch.hub.load", "numpy.lib.format.read_array"}
TARGETS = ["help", "setup", "run", "test", "lint", "bench", "train", "clean"]
ACTIONS = {
    "run": "diffufusemed web",
    "report": "diffufusemed run",
    "test": "pytest",
    "lint": "lint-imports",
    "bench": "python -m benchmarks --json out/bench.json",
    "train": 'diffufusemed train "cases" --recipe sts-diffufusemed',
}


def git(*arguments: str) -> str | None:
    """What git says about this repository, or None in a copy without history."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return None
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return result.stdout if result.returncode == 0 else None


def walked_files() -> list[Path]:
    files = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith(".") or name == ".ci"]
        folders[:] = [n for n in folders if n not in {"__pycache__", "build", "out"} and not n.endswith(".egg-info")]
        files += [Path(folder, name) for name in names]
    return files


@pytest.fixture(scope="module")
def repository_files():
    """Every file that is tracked or about to be: what git ignores is no part of the repository."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    files = walked_files() if listed is None else [ROOT / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_no_file_is_larger_than_allowed(repository_files):
    sizes = {relative(file): file.stat().st_size for file in repository_files}
    limits = {name: LARGEST_WEIGHTS if name.endswith(".safetensors") else LARGEST_FILE for name in sizes}
    assert not {name: size for name, size in sizes.items() if size > limits[name]}


def test_the_whole_repository_stays_small(repository_files):
    """Of history a shallow clone has the present files' objects alone; weights and images are packed already, so an
    object is hardly smaller than its file."""
    size = sum(file.stat().st_size for file in repository_files)
    assert size < LARGEST_TREE
    assert size + sum(_packed(file) for file in repository_files) < LARGEST_CLONE


def _packed(file: Path) -> int:
    return len(zlib.compress(file.read_bytes(), 1))


def test_no_file_names_a_path_of_a_build_machine(repository_files):
    found = {relative(file): BUILD_MACHINE_PATH.findall(file.read_bytes()) for file in repository_files}
    assert not {name: paths for name, paths in found.items() if paths}


@pytest.mark.parametrize("folder", ["work", "root", "home"])
def test_a_path_of_a_build_machine_is_recognized(folder):
    assert BUILD_MACHINE_PATH.search(f"read from /{folder}/data/case".encode())
    assert not BUILD_MACHINE_PATH.search(f"https://example.org/{folder}/page and net{folder}/x".encode())


def dotted_name(node: ast.AST, aliases: dict[str, str]) -> str:
    """`np.load` -> `numpy.load`; empty for what is not a plain name."""
    if isinstance(node, ast.Name):
        return aliases.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{dotted_name(node.value, aliases)}.{node.attr}"
    return ""


def imported_names(tree: ast.AST) -> dict[str, str]:
    """The name that each import binds -> the dotted name of what it stands for."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {
                a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names
            }
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def pickle_uses(source: str) -> list[str]:
    """Dotted names in `source` that write or read pickles: modules, torch's load and save, numpy's allow_pickle."""
    tree = ast.parse(source)
    aliases = imported_names(tree)
    uses = [name for name in aliases.values() if name.split(".")[0] in PICKLING_MODULES or name in UNSAFE_CALLS]
    for node in ast.walk(tree):
        name = dotted_name(node, aliases) if isinstance(node, ast.Attribute) else ""
        uses += [name] if name in UNSAFE_CALLS else []
        uses += ["allow_pickle"] if isinstance(node, ast.keyword) and allows_pickle(node) else []
    return uses


def allows_pickle(keyword: ast.keyword) -> bool:
    refused = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
    return keyword.arg == "allow_pickle" and not refused


def test_the_library_reads_and_writes_no_pickles():
    found = {relative(file): pickle_uses(file.read_text(encoding="utf-8")) for file in LIBRARY.rglob("*.py")}
    assert len(found) > 5
    assert not {name: uses for name, uses in found.items() if uses}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load('x', weights_only=True)",
        "import torch as t\nt.save({}, 'x')",
        "from torch import load",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "def f():\n    import joblib",
    ],
)
def test_a_pickle_is_recognized(source):
    assert pickle_uses(source)


@pytest.mark.parametrize(
    "source",
    ["import numpy as np\nnp.load('x', allow_pickle=False)", "from safetensors.torch import load_file", "x.load()"],
)
def test_harmless_loading_is_not_taken_for_a_pickle(source):
    assert not pickle_uses(source)


def test_the_installed_version_is_the_one_in_the_source():
    assert importlib.metadata.version("DiffuFuseMedLib") == DiffuFuseMedLib.__version__


def test_the_sample_case_is_what_its_attribution_says():
    text = (SAMPLE / "ATTRIBUTION.md").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| `([^`]+)` .*\| `([0-9a-f]{64})` \|$", text, re.MULTILINE))
    assert stated == {file.name: sha256(file) for file in SAMPLE.glob("*.nii.gz")}
    assert {"CT.nii.gz", "PET.nii.gz", "MR_T1.nii.gz", "GTV.nii.gz"} <= stated.keys()
    assert "CC BY 3.0" in text and "10.7937/K9/TCIA.2015.7GO2GSKS" in text


def model_faults(folder: Path) -> list[str]:
    """What is wrong with a shipped model's folder; empty for a sound one. Files: model.json, card.md and weights, which
    of a panel its members have."""
    missing = [name for name in ("model.json", "card.md") if not (folder / name).is_file()]
    if missing:
        return [f"{name} is missing" for name in missing]
    try:
        stated = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        return [f"model.json does not parse: {error}"]
    if members := stated.get("members"):
        return [fault for name, sha in members.items() for fault in weights_faults(folder.parent / name, sha)]
    if stages := stated.get("stages"):
        files = {f"weights.{stage}.safetensors": sha for stage, sha in stages.items()}
        return [fault for name, sha in files.items() for fault in weights_faults(folder, sha, name)]
    return weights_faults(folder, stated.get("sha256"))


def weights_faults(folder: Path, stated: str | None, name: str = "weights.safetensors") -> list[str]:
    weights = folder / name
    if not weights.is_file():
        return [f"{weights.name} is missing"]
    faults = [] if stated == sha256(weights) else ["sha256 in model.json is not that of the weights"]
    return faults + (["weights are too large"] if weights.stat().st_size > LARGEST_WEIGHTS else [])


def test_every_shipped_model_is_the_one_its_json_describes():
    folders = [path for path in MODELS.glob("*") if path.is_dir()]
    if not folders:
        pytest.skip("no model ships yet")
    assert not {folder.name: faults for folder in folders if (faults := model_faults(folder))}


@pytest.fixture
def a_model_folder(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"abc")
    (tmp_path / "card.md").write_text("# A model\n", encoding="utf-8")
    # FIPS 180-2, appendix B.1: the SHA-256 of "abc".
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    (tmp_path / "model.json").write_text(json.dumps({"sha256": digest}), encoding="utf-8")
    return tmp_path


def test_a_sound_model_folder_has_no_faults(a_model_folder):
    assert model_faults(a_model_folder) == []


def test_each_stage_has_weights_of_its_own(a_model_folder):
    stated = json.loads((a_model_folder / "model.json").read_text(encoding="utf-8"))
    stages = {"one": stated["sha256"], "two": stated["sha256"]}
    (a_model_folder / "model.json").write_text(json.dumps({**stated, "stages": stages}), encoding="utf-8")
    (a_model_folder / "weights.safetensors").rename(a_model_folder / "weights.one.safetensors")
    assert model_faults(a_model_folder) == ["weights.two.safetensors is missing"]
    (a_model_folder / "weights.two.safetensors").write_bytes(b"abd")
    assert model_faults(a_model_folder) == ["sha256 in model.json is not that of the weights"]


def test_changed_weights_are_found(a_model_folder):
    (a_model_folder / "weights.safetensors").write_bytes(b"abd")
    assert model_faults(a_model_folder) == ["sha256 in model.json is not that of the weights"]


def test_an_unreadable_model_json_is_found(a_model_folder):
    (a_model_folder / "model.json").write_text("{", encoding="utf-8")
    assert "does not parse" in model_faults(a_model_folder)[0]


def test_a_missing_model_card_is_found(a_model_folder):
    (a_model_folder / "card.md").unlink()
    assert model_faults(a_model_folder) == ["card.md is missing"]


def test_a_panel_is_as_sound_as_its_members(a_model_folder, tmp_path):
    panel = tmp_path / "panel"
    panel.mkdir()
    (panel / "card.md").write_text("# A panel\n", encoding="utf-8")
    stated = json.loads((a_model_folder / "model.json").read_text(encoding="utf-8"))["sha256"]
    for sha, faults in ((stated, []), ("0", ["sha256 in model.json is not that of the weights"])):
        (panel / "model.json").write_text(json.dumps({"members": {".": sha}}), encoding="utf-8")
        assert model_faults(panel) == faults


def declared_requirements() -> set[str]:
    """Normalized names of what the package needs, its test extra included."""
    names = [re.match(r"[\w.-]+", line).group() for line in importlib.metadata.requires("DiffuFuseMedLib")]
    return {normalized(name) for name in names}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_every_requirement_is_pinned(pins):
    assert declared_requirements() - pins.keys() == set()


def test_the_installed_packages_are_the_pinned_ones(pins):
    installed = {name: importlib.metadata.version(name).split("+")[0] for name in declared_requirements()}
    assert installed == {name: pins[name] for name in installed}


def test_every_pin_but_torch_has_the_hashes_of_its_files(pins):
    text = (ROOT / "hashes.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^([\w.-]+)==(\S+) ((?:\\\n    --hash=sha256:[0-9a-f]{64} ?)+)$", text, re.MULTILINE)
    assert {name: version for name, version, _ in entries} == {n: v for n, v in pins.items() if n != "torch"}
    assert text.count("--hash=sha256:") == sum(hashes.count("--hash") for *_, hashes in entries)


def test_torchvision_stays_out(pins):
    assert pins["torch"] == "2.13.0"  # another version brings gigabytes of CUDA libraries with it
    assert "torchvision" not in pins


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_the_target(target):
    clean = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    command = ["make", "--dry-run", target]
    result = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert ACTIONS.get(target, "") in result.stdout


def lint_commands() -> list[str]:
    rule = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return [line.strip() for line in rule[1].splitlines()]


def test_lint_checks_the_types():
    assert "$(BIN)/mypy" in lint_commands()  # alone: a leading "-" or a trailing "|| true" would let errors pass


def loosened(settings: dict) -> list[str]:
    """What in the table of [tool.mypy] leaves errors out: of everything at its top, of our own code in an override."""
    loose = {"exclude", "ignore_errors", "disable_error_code", "ignore_missing_imports", "follow_imports"}
    faults = sorted(loose & settings.keys())
    for override in settings.get("overrides", []):
        own = [name for name in override["module"] if name.split(".")[0] in {"*", "DiffuFuseMedLib", "benchmarks"}]
        faults += [f"{name}: {sorted(override)}" for name in own]
        faults += sorted({"ignore_errors"} & override.keys())
    return faults


@pytest.fixture(scope="module")
def types():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]


def test_types_are_checked_of_all_code_that_is_not_a_test(types):
    assert {"DiffuFuseMed/DiffuFuseMedLib", "benchmarks"} <= set(types["files"])
    assert types["disallow_untyped_defs"] and types["check_untyped_defs"] and types["warn_unused_ignores"]
    assert loosened(types) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"ignore_missing_imports": True},
        {"ignore_errors": True},
        {"exclude": ["session/"]},
        {"overrides": [{"module": ["DiffuFuseMedLib.session.*"], "ignore_errors": True}]},
        {"overrides": [{"module": ["DiffuFuseMedLib.web"], "disallow_untyped_defs": False}]},
        {"overrides": [{"module": ["*"], "ignore_missing_imports": True}]},
        {"overrides": [{"module": ["scipy.*"], "ignore_errors": True}]},
    ],
)
def test_a_loosened_checker_is_recognized(settings):
    assert loosened(settings)


def ignored_types(file: Path) -> list[str]:
    """Lines with "type: ignore" that name no error, or give no reason behind it."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [
        line for line in lines if "# type: ignore" in line and not re.search(r"# type: ignore\[[\w, -]+\]  # \w", line)
    ]


def test_every_type_that_is_ignored_has_a_reason():
    found = {relative(file): ignored_types(file) for file in [*LIBRARY.rglob("*.py"), *ROOT.glob("benchmarks/**/*.py")]}
    assert not {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize(
    ("ignored", "faults"), [("# type: ignore", 1), ("# type: ignore[misc]", 1), ("# type: ignore[misc]  # why", 0)]
)
def test_an_ignored_type_without_a_reason_is_recognized(tmp_path, ignored, faults):
    (tmp_path / "a.py").write_text(f"x = 1  {ignored}\n", encoding="utf-8")
    assert len(ignored_types(tmp_path / "a.py")) == faults


def test_continuous_integration_runs_the_tests():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.search(r"^make test$", script.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_license_is_apache_2():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text and "Version 2.0, January 2004" in text and "END OF TERMS AND CONDITIONS" in text
