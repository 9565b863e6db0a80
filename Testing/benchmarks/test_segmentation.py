"""Speed and memory, measured."""

import json
import math
import time

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.benchmark import efficiency as module
from DiffuFuseMedLib.benchmark.efficiency import PeakMemory, bench_model, bench_slice


@pytest.fixture(autouse=True)
def small_slice(monkeypatch):
    monkeypatch.setattr(module, "SLICE", (32, 32))


def test_peak_memory_sees_what_was_held_for_a_moment():
    with PeakMemory() as memory:
        block = np.ones(25_000_000)  # 200 MB
        deadline = time.monotonic() + 5  # the watch looks every 20 ms
        while memory.peak_bytes - memory.before_bytes < 150e6 and time.monotonic() < deadline:
            block += 1
        del block
    assert memory.peak_bytes - memory.before_bytes > 150e6


def test_peak_memory_is_never_below_what_was_there_before():
    with PeakMemory() as memory:
        pass
    assert memory.peak_bytes >= memory.before_bytes > 0


def test_counts_the_parameters_and_their_size_in_float16(a_model):
    figures = bench_model(a_model)
    parameters = sum(p.numel() for p in a_model.network.parameters())
    assert figures["parameters_m"] == round(parameters / 1e6, 2)
    assert figures["weights_mb_float16"] == round(2 * parameters / 1e6, 1)
    assert figures["window_voxels"] == math.prod((16, 32, 32))


def test_times_a_slab_and_counts_its_work(a_model, monkeypatch):
    figures = []
    for edge in (64, 128):
        monkeypatch.setattr(module, "SLICE", (edge, edge))
        figures.append(bench_slice(a_model, repeats=2))
    small, large = figures
    assert small["slices_in_slab"] == 16
    assert small["ms_per_slice"] > 0
    assert len(small["each_ms"]) == 2
    assert large["flops_g_per_slice"] / small["flops_g_per_slice"] == pytest.approx(4, rel=0.3)


def test_bench_writes_its_figures(command, models, a_real_folder, tmp_path):
    path = tmp_path / "deep" / "bench.json"
    options = ["--json", path, "--case", a_real_folder, "--model", models / "tiny", "--samples", 1]
    code, out, _ = command(*options)
    assert code == 0
    figures = json.loads(path.read_text())
    assert figures == json.loads(out)
    assert {"machine", "model", "case", "parameters_m", "run", "slice_256", "paper"} <= set(figures)
    run = figures["run"]
    assert run["total_s"] >= max(run["read_s"], run["predict_s"]) > 0
    assert run["peak_gib"] >= run["of_that_run_gib"] >= 0
    assert (figures["model"], figures["case"]) == ("tiny", "STS_010")


def test_a_model_that_fuses_is_refused_where_one_that_segments_is_wanted(command, a_real_folder, fusion_models):
    code, _, err = command("--case", a_real_folder, "--model", fusion_models / "clin-fusediff-student")
    assert code == 2
    assert "which fuses" in err


def test_every_convolution_is_counted(a_model):
    """Those that oneDNN does too, which PyTorch's counter leaves out; 2 FLOPs per multiply-add, by hand."""
    by_hand, hooks = [], []
    for layer in a_model.network.modules():
        if isinstance(layer, torch.nn.Conv3d):
            count = lambda conv, _, out: by_hand.append(2 * conv.weight[0].numel() * out.numel())  # noqa: E731
            hooks.append(layer.register_forward_hook(count))
    figures = bench_slice(a_model, repeats=1)
    for hook in hooks:
        hook.remove()
    one_pass = sum(by_hand) / 2  # the counted one and the timed one
    assert figures["flops_g_per_slice"] >= one_pass / 16 / 1e9 - 0.001 > 0
