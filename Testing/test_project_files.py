"""What a contributor and a citing author find: workflow, hooks, templates, changelog, citation, each in its format."""

import re
import tomllib
from pathlib import Path

import DiffuFuseMedLib
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FORMS = ["bug_report.yml", "feature_request.yml"]
SHIPPED_DATA = "10.7937/K9/TCIA.2015.7GO2GSKS"


def read(name: str):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def job():
    return read(".github/workflows/ci.yml")["jobs"]["test"]


@pytest.fixture(scope="module")
def hooks():
    repositories = read(".pre-commit-config.yaml")["repos"]
    return {hook["id"]: hook for repository in repositories for hook in repository["hooks"]}


def test_the_workflow_tests_every_python_that_the_package_names(job, project):
    named = [c.rsplit(" ", 1)[1] for c in project["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert job["strategy"]["matrix"]["python"] == named == ["3.11", "3.12", "3.13"]
    assert project["requires-python"] == f">={named[0]}"


def test_the_workflow_runs_what_a_contributor_runs(job):
    commands = [step.get("run", "") for step in job["steps"]]
    assert any(command.startswith("make test ") for command in commands)


def test_the_workflow_reads_no_secret_and_may_write_nothing():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


def test_the_hooks_ask_what_make_lint_asks(hooks):
    lint = (ROOT / "Makefile").read_text(encoding="utf-8").split("\nlint:")[1].split("\n\n")[0]
    tools = set(re.findall(r"\$\(BIN\)/([\w-]+)", lint))
    entries = {Path(hook["entry"].split()[0]).name for hook in hooks.values() if "entry" in hook}
    assert {"ruff", "lint-imports"} <= tools
    assert tools <= entries


def test_the_hooks_check_what_no_linter_here_sees(hooks):
    assert {"check-yaml", "check-added-large-files", "detect-private-key", "end-of-file-fixer"} <= hooks.keys()


@pytest.mark.parametrize("name", FORMS)
def test_a_form_asks_for_version_host_given_and_wanted_and_for_no_patient(name):
    form = read(f".github/ISSUE_TEMPLATE/{name}")
    required = {b["id"] for b in form["body"] if b.get("validations", {}).get("required")}
    assert {"version", "host", "given", "wanted"} <= required
    assert "Never attach patient data" in form["body"][0]["attributes"]["value"]
    assert form["body"][-1]["attributes"]["options"][0]["required"] is True


def test_an_issue_is_begun_from_a_form():
    assert read(".github/ISSUE_TEMPLATE/config.yml")["blank_issues_enabled"] is False
    assert "patient data" in (ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md").read_text(encoding="utf-8")


def test_the_changelog_has_what_is_coming_and_the_version_that_is_here():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert versions[:2] == ["Unreleased", DiffuFuseMedLib.__version__]
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= {
        "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"
    }  # fmt: skip


def test_the_citation_names_this_version_the_five_papers_and_the_data(project):
    # The keys that the schema of CFF 1.2.0 requires: https://github.com/citation-file-format
    citation = read("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert (citation["cff-version"], citation["version"]) == ("1.2.0", DiffuFuseMedLib.__version__)
    assert citation["license"] == project["license"] == "Apache-2.0"
    references = citation["references"]
    assert all({"type", "title", "authors"} <= r.keys() for r in references)
    titles = [r["title"] for r in references if r["type"] != "data"]
    for paper in ("DiffuFuseMed", "CLIN-FuseDiff++", "CalDiff", "MedFusion-TransNet", "Diff4MMLiTS"):
        assert sum(title.startswith(paper) for title in titles) == 1
    assert [r["doi"] for r in references if r["type"] == "data"] == [SHIPPED_DATA]


def test_every_link_between_the_documents_leads_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


@pytest.fixture(scope="module")
def architecture():
    return (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")


def test_the_drawing_has_the_floors_that_the_contract_has(architecture):
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = configured["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["id"] == "layers")
    drawn = re.findall(r"│ ((?:[a-z.]+)\b) ", architecture.split("```")[1])
    assert drawn == [name for layer in layers for name in re.split(r" \| ", layer)]


NAMED = re.compile(r"`((?:[\w-]+/)+(?:[\w-]+\.(?:py|sh|md))?|[\w-]+\.(?:py|sh))`")
GIVEN_BY_A_READER = {"MRI/", "CT/", "PET/", "SPECT/"}  # folders of pictures
GIVEN_BY_A_READER |= {"masks/", "readers/", "raters/", "annotators/", "annotations/", "references/"}  # of masks


@pytest.fixture(scope="module")
def places():
    """Every file and folder of the source, one a line, from the root on; a folder ends in a slash."""
    tops = [path for path in ROOT.iterdir() if not path.name.startswith(".") and path.name not in ("out", "build")]
    found = [path for top in tops for path in (top, *top.rglob("*"))]
    return "".join(f"/{path.relative_to(ROOT).as_posix()}{'/' if path.is_dir() else ''}\n" for path in found)


def test_every_file_of_the_source_that_a_page_names_is_there(places):
    pages = [*ROOT.glob("*.md"), *(p for p in (ROOT / "docs").rglob("*.md") if p.parent.name != "reference")]
    for page in pages:
        names = set(NAMED.findall(page.read_text(encoding="utf-8"))) - GIVEN_BY_A_READER
        missing = sorted(name for name in names if f"/{name}\n" not in places)
        assert not missing, f"{page.relative_to(ROOT)} names {missing}"
