"""The benchmarks' own command."""

import pytest
from DiffuFuseMedLib import cli

from benchmarks.__main__ import bench_app


@pytest.fixture
def command(models, monkeypatch, capsys):
    """A function of arguments: runs the benchmarks on the models folder; returns (exit code, stdout, stderr)."""
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(models))

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["benchmarks", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main(bench_app)
        return (stopped.value.code or 0, *capsys.readouterr())

    return run
