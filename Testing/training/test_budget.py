from types import SimpleNamespace

import pytest
from DiffuFuseMedLib.training import budget


@pytest.fixture
def clocks(monkeypatch):
    """Two clocks that tests move: of the wall, and of what the process got."""
    seconds = SimpleNamespace(wall=100.0, process=7.0)
    clock = SimpleNamespace(monotonic=lambda: seconds.wall, process_time=lambda: seconds.process)
    monkeypatch.setattr(budget, "time", clock)
    monkeypatch.setattr(budget.torch, "get_num_threads", lambda: 2)
    return seconds


def test_on_a_cpu_only_the_time_the_process_got_counts(clocks):
    minutes = budget.stopwatch("cpu")
    clocks.wall += 3600
    assert minutes() == 0
    clocks.process += 120  # of two cores: a minute
    assert minutes() == pytest.approx(1.0)


def test_on_a_gpu_the_wall_clock_counts(clocks):
    minutes = budget.stopwatch("cuda:0")
    clocks.process += 3600
    assert minutes() == 0
    clocks.wall += 90
    assert minutes() == pytest.approx(1.5)
