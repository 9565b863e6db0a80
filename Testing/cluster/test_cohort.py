"""`diffufusemed run --cluster`: the results of a case are those of the same run without it."""

import json

import pytest

OPTIONS = ["--model", "tiny", "--samples", 1, "--no-fusion", "--device", "cpu"]
TIMES = ("timings_s",)


@pytest.fixture
def cohort(tmp_path, write_case, a_case):
    """A folder with two cases and one without an image."""
    for name in ("one", "two"):
        write_case(a_case(name=name), tmp_path / "cohort" / name)
    (tmp_path / "cohort" / "bad").mkdir()
    return tmp_path / "cohort"


def results(folder):
    """Contents by path; of records what does not tell the time."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    pages = {name: path.read_bytes() for name, path in found.items() if not name.endswith(("report.html", ".json"))}
    records = {name: _timeless(json.loads(path.read_text())) for name, path in found.items() if name.endswith(".json")}
    return set(found), pages, records


def _timeless(value):
    if isinstance(value, dict):
        return {name: _timeless(part) for name, part in value.items() if name not in TIMES}
    return value


def test_a_cohort_on_two_nodes_has_the_results_that_it_has_here(cluster, command, cohort, tmp_path):
    here, _, said_here = command("run", cohort, "--out", tmp_path / "here", "--cohort", *OPTIONS)
    there, told, said = command(
        "run", cohort, "--out", tmp_path / "there", "--cluster", cluster.address, "--cores", 1, *OPTIONS
    )
    assert (here, there) == (2, 2), said  # the bad case
    assert {path.name for path in (tmp_path / "there").iterdir()} == {"one", "two"}
    assert results(tmp_path / "there") == results(tmp_path / "here")
    assert "2 of 3 cases in " in told
    for name in ("one", "two"):
        (row,) = [line for line in told.splitlines() if line.startswith(f"│ {name} ")]
        assert float(row.split("│")[2]) > 0 and not row.split("│")[-2].strip(), row  # its lesion, and no reason
    (row,) = [line for line in told.splitlines() if line.startswith("│ bad")]
    assert "Given " in row
    assert "3 of 3: " in said
    assert said.count("WARNING") == said_here.count("WARNING")
