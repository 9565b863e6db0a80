"""Speed and memory of a model, measured: a real case end to end, one 256 x 256 slice, parameters and FLOPs."""

from __future__ import annotations

import math
import platform
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import torch
from DiffuFuseMedLib.models.devices import predicted_bytes
from DiffuFuseMedLib.models.zoo import Model
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.tasks.segment.contract import inputs_of
from DiffuFuseMedLib.tasks.segment.predict import predict
from DiffuFuseMedLib.tasks.segment.settings import Settings
from torch.utils.flop_counter import FlopCounterMode

PAPER = {"gpu_ms_per_slice": 32, "cpu_ms_per_slice": 340, "model_mb": 128, "flops_g": 62.5}  # its Table 6
SLICE = (256, 256)


class PeakMemory:
    """Resident memory of this or another process with its children, sampled every 20 ms: `peak_bytes` is the most seen
    inside the with-block."""

    def __init__(self, pid: int | None = None) -> None:
        self._stop, self._process = threading.Event(), psutil.Process(pid)

    def __enter__(self) -> PeakMemory:
        self.before_bytes = self.peak_bytes = self._resident()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.peak_bytes = max(self.peak_bytes, self._resident())

    def _resident(self) -> int:
        """0 for a process that has ended."""
        try:
            return sum(p.memory_info().rss for p in (self._process, *self._process.children(recursive=True)))
        except psutil.NoSuchProcess:
            return 0


def bench_run(folder: Path, model: Model, samples: int) -> dict[str, float]:
    """Reading, alignment and prediction of a case: seconds and the process' peak memory."""
    with PeakMemory() as memory:
        began = time.monotonic()
        case = load_case(folder)
        read = time.monotonic()
        prediction = predict(case, model, Settings(samples=samples))
        done = time.monotonic()
    return {
        "samples": samples,
        "read_s": round(read - began, 2),
        "predict_s": round(done - read, 2),
        "total_s": round(done - began, 2),
        "peak_gib": round(memory.peak_bytes / 2**30, 2),
        "of_that_run_gib": round((memory.peak_bytes - memory.before_bytes) / 2**30, 2),
        "predicted_window_gib": round(predicted_bytes(model, prediction.provenance["window"]) / 2**30, 2),
    }


def bench_slice(model: Model, repeats: int = 10) -> dict[str, float]:
    """Milliseconds a 256 x 256 slice: a slab of one stride's slices through encode and segment, divided by its slices.

    The network is 3D: it never sees one slice alone. FLOPs are counted by PyTorch on the same slab, 2 per multiply-add.
    """
    slices = model.network.stride[0]
    images = {m: torch.randn(1, 2, slices, *SLICE, device=model.device) for m in model.modalities}

    def once() -> None:
        # not inference_mode: FlopCounterMode looks for the parameters' gradient functions
        with torch.no_grad(), torch.autocast(torch.device(model.device).type, dtype=torch.bfloat16):
            model.network.segment(inputs_of(model.network, images))
        if model.device.startswith("cuda"):
            torch.cuda.synchronize()

    with FlopCounterMode(display=False) as counter:
        once()
    seconds = [_timed(once) for _ in range(repeats)]
    return {
        "slices_in_slab": slices,
        "ms_per_slice": round(1000 * median(seconds) / slices, 1),
        "flops_g_per_slice": round(counter.get_total_flops() / slices / 1e9, 3),
    }


def bench_model(model: Model) -> dict[str, float]:
    """Size of the network and of its window."""
    parameters = sum(p.numel() for p in model.network.parameters())
    return {
        "parameters_m": round(parameters / 1e6, 2),
        "weights_mb_float16": round(2 * parameters / 1e6, 1),
        "window_voxels": math.prod(model.record.window["shape"]),
    }


def bench(folder: Path, model: Model, samples: int) -> dict[str, Any]:
    """Everything above with the machine it was measured on, and the paper's figures beside it."""
    return {
        "machine": f"{platform.machine()}, {psutil.cpu_count(logical=True)} cores, device {model.device}",
        "model": model.record.id,
        "case": folder.name,
        **bench_model(model),
        "run": bench_run(folder, model, samples),
        "slice_256": bench_slice(model),
        "paper": PAPER,
    }


def _timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
