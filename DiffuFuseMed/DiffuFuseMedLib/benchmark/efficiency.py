"""Speed and memory of a model, measured: a real case end to end, one 256 x 256 slice, parameters and FLOPs."""

from __future__ import annotations

import math
import platform
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from ..models.devices import predicted_bytes
from ..models.zoo import Model
from ..networks.precision import mixed_precision
from ..preprocessing.load import load_whole
from ..tasks.segment.contract import ConditionsOnce, SamplesWholeVolume, inputs_of
from ..tasks.segment.predict import predict
from ..tasks.segment.settings import Settings

SLICE = (256, 256)


def _convolved(x: Sequence[int], weight: Sequence[int], *others: Any, out_shape: Any = None, **more: Any) -> int:
    return conv_flop_count(list(x), list(weight), out_shape)


# What PyTorch's counter does not know: as oneDNN, which does convolutions in float32 on a CPU, is called.
ONEDNN = {torch.ops.aten.mkldnn_convolution: _convolved}


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
        case = load_whole(folder)
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


def bench_slice(model: Model, repeats: int = 10) -> dict[str, Any]:
    """Milliseconds a 256 x 256 slice, their median and each: one draw of a slab of one stride's slices, from images to
    logits, divided by its slices.

    A network that is 3D never sees one slice alone. FLOPs are counted by PyTorch on the same slab, 2 per multiply-add.
    Of a panel the sum of its members.
    """
    if model.members:
        return _summed([bench_slice(member, repeats) for member in model.members])
    slices = model.network.stride[0] if model.network.config.spatial_dims == 3 else 1
    taken = _gpu_begun(model.device)
    once = _one_draw(model, _slab(model, slices))
    with FlopCounterMode(display=False, custom_mapping=ONEDNN) as counter:
        once()
    each = [1000 * _timed(once) / slices for _ in range(repeats)]
    return {
        "slices_in_slab": slices,
        "ms_per_slice": round(median(each), 1),
        "each_ms": [round(ms, 2) for ms in each],
        "flops_g_per_slice": round(counter.get_total_flops() / slices / 1e9, 3),
        **_gpu_memory(model, taken),
    }


def _summed(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """bench_slice() of a panel: each member draws for itself, one after the other."""
    each = [round(sum(ms), 2) for ms in zip(*(part["each_ms"] for part in parts), strict=True)]
    return {
        "slices_in_slab": max(part["slices_in_slab"] for part in parts),
        "ms_per_slice": round(median(each), 1),
        "each_ms": each,
        "flops_g_per_slice": round(sum(part["flops_g_per_slice"] for part in parts), 3),
        **{name: max(part[name] for part in parts) for name in parts[-1] if name == "peak_gpu_gib"},
    }


def _slab(model: Model, slices: int) -> dict[str, Tensor]:
    space = (slices, *SLICE) if model.network.config.spatial_dims == 3 else SLICE
    return {m: torch.randn(1, 2, *space, device=model.device) for m in model.modalities}


def _one_draw(model: Model, images: dict[str, Tensor]) -> Callable[[], None]:
    network = model.network

    def once() -> None:
        # not inference_mode: FlopCounterMode looks for the parameters' gradient functions
        with torch.no_grad(), mixed_precision(model.device):
            inputs = inputs_of(network, images)
            if isinstance(network, SamplesWholeVolume):
                _sampled(network, inputs, next(iter(images.values())))
            else:
                network.segment(inputs)
        if model.device.startswith("cuda"):
            torch.cuda.synchronize()

    return once


def _sampled(network: SamplesWholeVolume, inputs: Any, like: Tensor) -> None:
    """Every step of a whole-volume sampler on one slab; what it knows of the images is made once."""
    known = network.condition(inputs) if isinstance(network, ConditionsOnce) else inputs
    noise = torch.randn(1, network.noise_channels, *like.shape[2:], device=like.device)
    network.sample(lambda noisy, t: network.denoise(noisy, known, t), noise, torch.Generator(like.device))


def _gpu_begun(device: str) -> int:
    """Bytes that PyTorch holds on the GPU, for this model and others; the most is told from here on. 0 on a CPU."""
    if not device.startswith("cuda"):
        return 0
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.memory_allocated()


def _gpu_memory(model: Model, taken: int) -> dict[str, float]:
    """The most that PyTorch held on the GPU beside what was taken, and the weights; {} on a CPU."""
    if not model.device.startswith("cuda"):
        return {}
    weights = sum(p.numel() * p.element_size() for p in model.network.parameters())
    return {"peak_gpu_gib": round((torch.cuda.max_memory_allocated() - taken + weights) / 2**30, 2)}


def bench_model(model: Model) -> dict[str, float]:
    """Size of the network and of its window; of a panel all members' parameters and the first one's window."""
    parts = model.members or (model,)
    parameters = sum(p.numel() for part in parts for p in part.network.parameters())
    return {
        "parameters_m": round(parameters / 1e6, 2),
        "weights_mb_float16": round(2 * parameters / 1e6, 1),
        "window_voxels": math.prod(model.record.window["shape"]),
    }


def machine(device: str) -> str:
    """What the figures were measured on."""
    gpu = f" ({torch.cuda.get_device_name(0)})" if device.startswith("cuda") else ""
    return f"{platform.machine()}, {psutil.cpu_count(logical=True)} cores, device {device}{gpu}"


def _timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
