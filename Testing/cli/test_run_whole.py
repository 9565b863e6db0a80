"""`diffufusemed run` puts the results of one run into its folder together, or none of them."""

import pytest
from DiffuFuseMedLib.core.result_names import result_names

from Testing.fixtures.full_disk import tree

OPTIONS = ["--model", "tiny", "--samples", 1, "--no-fusion"]


@pytest.fixture
def ran(command, a_real_folder, tmp_path):
    """A function of options: `run` into one folder; returns (exit code, stderr, what is in the folder)."""

    def run(*options):
        code, _, told = command("run", a_real_folder, "--out", tmp_path / "out", *OPTIONS, *options)
        return code, " ".join(told.split()), tree(tmp_path / "out") if (tmp_path / "out").exists() else {}

    return run


def test_a_second_run_leaves_nothing_of_the_first_and_everything_that_is_not_a_result(ran, tmp_path):
    code, _, first = ran("--export", "nifti")
    assert (code, "lesion.nii.gz" in first) == (0, True)
    assert set(first) < set(result_names())
    (tmp_path / "out" / "notes.txt").write_bytes(b"mine")
    (tmp_path / "out" / "fusion.json").write_bytes(b"of a run with a fusion")
    code, _, second = ran("--seed", 1)
    assert code == 0
    assert set(second) == set(first) - {"lesion.nii.gz"} | {"notes.txt"}
    assert second["prediction.json"] != first["prediction.json"]
    assert second["report.html"] != first["report.html"]


def test_a_second_run_that_the_disk_refuses_at_the_last_file_leaves_the_first(ran, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    first = ran()[2]
    monkeypatch.setattr("DiffuFuseMedLib.report.page.write_whole", full)
    code, told, second = ran("--seed", 1, "--export", "nifti")
    assert (code, second) == (2, first)
    assert "(No space left on device)" in told
    assert "nothing was saved and what was there is as it was" in told
