"""Where a network runs, how much memory that takes, and what to do when it is not there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psutil
import torch

from ..core.errors import input_error
from ..networks.convolution import with_onednn
from .zoo import Model

SHARE_OF_FREE = 0.8
SLICES_AT_ONCE = 8  # of a 2D network


def choose(device: str) -> str:
    """ "auto" is the GPU when there is one; raises InputError for a GPU that is not there."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise input_error(f"the device {device}", "a CUDA GPU that PyTorch can use", "choose --device cpu or auto")
    if device.split(":")[0] not in ("cpu", "cuda"):
        raise input_error(f"the device {device!r}", "auto, cpu or cuda", "choose one of these")
    return device


def free_bytes(device: str) -> int:
    """Memory that a run on this device may take now."""
    return torch.cuda.mem_get_info(device)[0] if device.startswith("cuda") else psutil.virtual_memory().available


def predicted_bytes(model: Model, window: Sequence[int]) -> int:
    """Peak of one window through the model's network, all its modalities present."""
    return model.network.memory_bytes(math.prod(window), len(model.modalities))


def whole_window(model: Model) -> tuple[int, ...]:
    """The window of the model's record as (k, j, i); for a 2D network a stack of slices, (SLICES_AT_ONCE, j, i).

    Raises InputError for a window that is no multiple of the network's stride, entry by entry.
    """
    shape, stride = tuple(model.record.window["shape"]), tuple(model.network.stride)
    if len(shape) != len(stride) or any(n < s or n % s for n, s in zip(shape, stride, strict=True)):
        given = f"a window of {' x '.join(map(str, shape))} voxels"
        raise input_error(given, f"multiples of {' x '.join(map(str, stride))}", "correct the window in model.json")
    return shape if len(shape) == 3 else (SLICES_AT_ONCE, *shape)


def window_that_fits(model: Model, window: tuple[int, ...], notes: list[str]) -> tuple[int, ...]:
    """The window, halved until its predicted memory fits what is free; what was done is added to notes."""
    budget = SHARE_OF_FREE * free_bytes(model.device)
    fitting = window
    while predicted_bytes(model, fitting) > budget and (smaller := cut(model.network, fitting)) != fitting:
        fitting = smaller
    if fitting != window:
        notes.append(_told(window, fitting, f"{predicted_bytes(model, window) / 2**30:.1f} GiB would not have fitted"))
    return fitting


def cut(network: Any, window: tuple[int, ...]) -> tuple[int, ...]:
    """The next smaller window, (k, j, i); the same when nothing is left to cut. A stack of slices for a 2D network is
    thinned before its slices get smaller, since that takes nothing from what the network sees."""
    if network.config.spatial_dims == 2:
        stack, *plane = window
        return (stack // 2, *plane) if stack > 1 else (stack, *halved(tuple(plane), network.stride))
    return halved(window, network.stride)


def halved(window: tuple[int, ...], stride: Sequence[int]) -> tuple[int, ...]:
    """The window with the longest axis that is longer than its stride halved, to a multiple of that; the same when
    there is none. stride: one entry per axis."""
    left = [axis for axis, (n, s) in enumerate(zip(window, stride, strict=True)) if n > s]
    if not left:
        return window
    axis = max(left, key=lambda a: window[a])
    half = max(stride[axis], window[axis] // 2 // stride[axis] * stride[axis])
    return (*window[:axis], half, *window[axis + 1 :])


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA and the CPU allocator report it by class or only by their words."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return "out of memory" in text or "not enough memory" in text or "can't allocate memory" in text


def retreat(model: Model, window: tuple[int, ...], notes: list[str]) -> tuple[Model, tuple[int, ...]]:
    """After running out of memory: half the window, then the CPU; raises InputError when neither is left."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    smaller = cut(model.network, window)
    if smaller != window:
        notes.append(_told(window, smaller, "the device ran out of memory"))
        return model, smaller
    if model.device != "cpu":
        notes.append("The GPU ran out of memory, so the run went on on the CPU.")
        copy = _on_cpu(model)
        return copy, window_that_fits(copy, whole_window(copy), notes)
    needed = predicted_bytes(model, window) / 2**30
    free = free_bytes("cpu") / 2**30
    raise input_error(
        f"{free:.1f} GiB of free memory", f"about {needed:.1f} GiB for the smallest window", "close other programs"
    )


def _on_cpu(model: Model) -> Model:
    """A copy: whoever holds the model goes on with it on the GPU."""
    network = type(model.network)(model.network.config)
    network.load_state_dict(model.network.state_dict())
    return replace(model, network=with_onednn(network.eval()), device="cpu")


def _told(window: Sequence[int], smaller: Sequence[int], why: str) -> str:
    shape = " x ".join(map(str, smaller))
    return f"The window was cut from {' x '.join(map(str, window))} to {shape} voxels because {why}."
