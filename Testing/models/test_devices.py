"""Where a network runs, and what happens when memory is short."""

from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import devices


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def a_model_on_a_gpu(a_model):
    """What Model says of itself on a GPU; its weights lie on the CPU, where copying them works alike."""
    return replace(a_model, device="cuda")


def test_auto_is_the_gpu_when_there_is_one(monkeypatch):
    for there, device in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert devices.choose("auto") == device


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_refuses_a_gpu_that_is_not_there(no_gpu, device):
    with pytest.raises(InputError, match=f"the device {device}, wanted a CUDA GPU"):
        devices.choose(device)


@pytest.mark.parametrize("device", ["gpu", "", "mps"])
def test_refuses_another_device(no_gpu, device):
    with pytest.raises(InputError, match="wanted auto, cpu or cuda"):
        devices.choose(device)


@pytest.mark.parametrize(
    ("window", "smaller"),
    [
        ((48, 64, 64), (48, 32, 64)),
        ((48, 32, 64), (48, 32, 32)),
        ((48, 32, 32), (16, 32, 32)),  # 24 is no multiple of 16
        ((16, 16, 32), (16, 16, 16)),
        ((16, 16, 16), (16, 16, 16)),
    ],
)
def test_halves_the_longest_axis_to_a_multiple_of_the_stride(window, smaller):
    assert devices.halved(window, (16, 16, 16)) == smaller


@pytest.mark.parametrize(
    ("window", "stride", "smaller"),
    [
        ((6, 64, 16), (2, 64, 16), (2, 64, 16)),  # the longest is as short as it gets
        ((2, 24, 8), (2, 16, 4), (2, 16, 8)),  # 12 is less than 16
        ((2, 16, 16), (2, 16, 16), (2, 16, 16)),
    ],
)
def test_each_axis_is_halved_by_its_own_stride(window, stride, smaller):
    assert devices.halved(window, stride) == smaller


def test_the_window_stays_when_it_fits(a_model, monkeypatch):
    monkeypatch.setattr(devices, "free_bytes", lambda device: 2**40)
    notes = []
    assert devices.window_that_fits(a_model, (16, 32, 32), notes) == (16, 32, 32)
    assert notes == []


def test_the_window_is_cut_to_the_smallest_when_nothing_is_free(a_model, monkeypatch):
    monkeypatch.setattr(devices, "free_bytes", lambda device: 0)
    notes = []
    assert devices.window_that_fits(a_model, (16, 32, 32), notes) == (16, 16, 16)
    assert len(notes) == 1


def test_predicted_memory_grows_with_the_window(a_model):
    small, large = (devices.predicted_bytes(a_model, w) for w in ((16, 16, 16), (16, 32, 32)))
    weights = 4 * sum(p.numel() for p in a_model.network.parameters())
    assert large - weights == pytest.approx(4 * (small - weights), rel=1e-3)


def test_free_memory_is_a_positive_number_of_bytes():
    assert devices.free_bytes("cpu") > 2**20


@pytest.mark.parametrize(
    "error",
    [MemoryError(), torch.OutOfMemoryError("x"), RuntimeError("CUDA error: out of memory"),
     RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes")],
)  # fmt: skip
def test_knows_out_of_memory_in_its_forms(error):
    assert devices.is_out_of_memory(error)


@pytest.mark.parametrize("error", [RuntimeError("shapes cannot be multiplied"), ValueError("negative")])
def test_takes_no_other_error_for_it(error):
    assert not devices.is_out_of_memory(error)


def test_after_the_smallest_window_the_run_leaves_the_gpu(a_model_on_a_gpu, no_gpu, monkeypatch):
    monkeypatch.setattr(devices, "free_bytes", lambda device: 2**40)
    notes = []
    moved, window = devices.retreat(a_model_on_a_gpu, (16, 16, 16), notes)
    assert (moved.device, window) == ("cpu", (16, 32, 32))
    assert notes == ["The GPU ran out of memory, so the run went on on the CPU."]


def test_the_callers_model_stays_on_its_gpu(a_model_on_a_gpu, no_gpu):
    """A cohort or an engine goes on with the same model: moving its network would leave it half on the CPU."""
    moved, _ = devices.retreat(a_model_on_a_gpu, (16, 16, 16), [])
    assert moved.network is not a_model_on_a_gpu.network
    assert not moved.network.training
    pairs = zip(moved.network.state_dict().values(), a_model_on_a_gpu.network.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_the_window_on_the_cpu_is_one_that_fits_there(a_model_on_a_gpu, no_gpu, monkeypatch):
    monkeypatch.setattr(devices, "free_bytes", lambda device: 0 if device == "cpu" else 2**40)
    _, window = devices.retreat(a_model_on_a_gpu, (16, 16, 16), [])
    assert window == (16, 16, 16)
