"""Speed and memory of a model, measured: a real case end to end, one 256 x 256 slice, parameters and FLOPs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from DiffuFuseMedLib.benchmark.efficiency import bench_model, bench_run, bench_slice, machine
from DiffuFuseMedLib.models.zoo import Model

PAPER = {"gpu_ms_per_slice": 32, "cpu_ms_per_slice": 340, "model_mb": 128, "flops_g": 62.5}  # its Table 6


def bench(folder: Path, model: Model, samples: int) -> dict[str, Any]:
    """Everything that is measured with the machine it was measured on, and the paper's figures beside it."""
    return {
        "machine": machine(model.device),
        "model": model.record.id,
        "case": folder.name,
        **bench_model(model),
        "run": bench_run(folder, model, samples),
        "slice_256": bench_slice(model),
        "paper": PAPER,
    }
