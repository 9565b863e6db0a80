"""How live the fusion is: from the slider to the slice through the real engine, arrays included, and what it costs."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import psutil
import torch
from DiffuFuseMedLib.benchmark.efficiency import PeakMemory
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import input_error
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.parallel import processors
from DiffuFuseMedLib.core.resampling import onto, resample
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.engine.client.engine import Engine
from DiffuFuseMedLib.io.picture_pairs import list_pairs, read_pair
from DiffuFuseMedLib.models.devices import choose
from DiffuFuseMedLib.preprocessing.load import load_case

SLIDERS = ("alpha", "beta", "gamma")
EDGE = 256
SLAB = 24  # slices of a brain-sized case, about those of a public series
HANDS_HZ = 60  # how often a host hears of a slider on the move
WAIT_S = 1800.0
AIMS = {"cpu": {"p95_ms": 150, "volume_s": 20}, "cuda": {"p95_ms": 50, "volume_s": 2}}


@dataclass(frozen=True)
class View:
    """An axial slice on screen."""

    engine: Engine
    case_id: str
    index: int
    device: str

    def ask(self, index: int | None = None, **settings: Any) -> Any:
        """The Handle of this or another slice under these settings."""
        where = self.index if index is None else index
        return self.engine.fuse_slice(self.case_id, "axial", where, settings, device=self.device)

    def ms(self, index: int | None = None, **settings: Any) -> float:
        """Milliseconds until its picture is here."""
        return 1000 * _timed(lambda: self.ask(index, **settings).result(WAIT_S))


def bench_live(folder: Path, pairs: Path | None = None, device: str = "auto", values: int = 100) -> dict[str, Any]:
    """Latencies of the case in `folder` and of a 256 x 256 one, a volume, a guided slice, the engine's peak memory.

    pairs: a folder with CT/ and MRI/ for the 256 x 256 pictures; without it they are a slab of the case, resampled.
    p50_ms, p95_ms: the worst of both cases. values: length of each drag. Raises InputError for a case that cannot be
    fused, EngineError for what the engine refuses.
    """
    if values < 2:
        raise input_error(f"a drag of {values} values", "at least 2", "choose more")
    chosen, case = choose(device), load_case(folder)
    small = stacked_pairs(pairs) if pairs else brain_sized(case)
    with Engine() as engine:
        begun = time.perf_counter()
        engine.start().result(WAIT_S)
        with PeakMemory(engine.pid) as memory:
            # the first picture of a session: PyTorch and the networks are loaded for it
            engine.close_case(_opened(engine, case, chosen).case_id).result(WAIT_S)
            started = time.perf_counter() - begun
            of_case, of_small = (_bench_case(engine, c, chosen, values) for c in (case, small))
            whole = _bench_whole(engine, case, chosen)
    cases = {
        folder.resolve().name: {"made_from": "the case as it is", **of_case},
        "x".join(map(str, small.grid.shape[1:])): {"made_from": _origin(pairs), **of_small},
    }
    worst = {name: max(figures[name] for figures in cases.values()) for name in ("p50_ms", "p95_ms", "first_ms")}
    figures = {"engine_start_s": round(started, 2), **worst, **whole, "peak_memory_mib": memory.peak_bytes // 2**20}
    return {"machine": _machine(chosen), "values": values, "cases": cases, **figures, **_judged(figures, chosen)}


def lesion_slice(case: Case) -> int:
    """The axial slice with most of the drawn lesion, the middle one without."""
    area = np.zeros(case.grid.shape[0]) if case.reference_mask is None else (case.reference_mask.array > 0).sum((1, 2))
    return int(area.argmax()) if area.any() else case.grid.shape[0] // 2


def brain_sized(case: Case) -> Case:
    """An axial slab of the case around its lesion, 256 x 256 square pixels a slice: its longer side fills 256, the
    other is padded."""
    count, rows, columns = case.grid.shape
    start = max(0, min(lesion_slice(case) - SLAB // 2, count - SLAB))
    slab = case.cropped((start, 0, 0), (min(count, start + SLAB), rows, columns))
    across = max(slab.grid.extent_mm[:2]) / EDGE
    grid = slab.grid.with_spacing((across, across, slab.grid.spacing_mm[2]))
    grid = replace(grid, size=(EDGE, EDGE, slab.grid.size[2]))
    moved = {m: onto(v, grid) for m, v in slab.volumes.items()}
    fields = {m: resample(Volume(valid, slab.grid), grid, "nearest").array > 0 for m, valid in slab.valid.items()}
    return replace(
        slab,
        grid=grid,
        volumes={m: volume for m, (volume, _) in moved.items()},
        valid={m: valid & fields[m] for m, (_, valid) in moved.items()},
        reference_mask=slab.reference_mask and onto(slab.reference_mask, grid)[0],
    )


def stacked_pairs(folder: Path) -> Case:
    """The first CT-MRI series of a folder of pairs as a case, at most 24 slices; raises InputError for none."""
    files = [f for f in list_pairs(folder) if f.kind == "CT"]
    if not files:
        raise input_error("a folder of pairs without CT/", "CT/ beside MRI/", "name another folder with --pairs")
    pairs = [read_pair(f) for f in files if f.series == files[0].series][:SLAB]
    if len(sizes := {pair.mri.shape for pair in pairs}) > 1:
        raise input_error(f"a series of pictures of {sorted(sizes)}", "one size", "name another folder with --pairs")
    grid = Grid((*sizes.pop()[::-1], len(pairs)), (1.0, 1.0, 5.0))
    grays = {"CT": [pair.other for pair in pairs], "MR_T1": [pair.mri for pair in pairs]}
    volumes = {m: Volume(255 * np.stack(gray).astype(np.float32), grid, m) for m, gray in grays.items()}
    return Case("pairs", grid, "CT", volumes, {m: np.ones(grid.shape, bool) for m in volumes})


def _origin(pairs: Path | None) -> str:
    if pairs:
        return "the first CT-MRI series of --pairs"
    return "a slab of the case, resampled and padded to this size: no brain picture may be shipped (--pairs takes one)"


def _opened(engine: Engine, case: Case, device: str) -> View:
    """The case opened, its first slice on screen."""
    drawn = case.reference_mask
    lesion = None if drawn is None else drawn.array > 0  # as if corrected by hand: gamma has something to do
    loading = engine.start_open(case, lesion=lesion if lesion is not None and lesion.any() else None)
    view = View(engine, str(loading.case_id), lesion_slice(case), device)
    view.ms()
    return view


def _bench_case(engine: Engine, case: Case, device: str, values: int) -> dict[str, Any]:
    """first_ms: from sending the case to its first picture; sliders: each dragged from 0 to 1, waiting for every
    picture; p50_ms, p95_ms: the slowest slider's; at 60 Hz: alpha by a hand that does not wait, of the pictures shown;
    scrolling: slices that were never looked at."""
    began = time.perf_counter()
    view = _opened(engine, case, device)
    first_ms = 1000 * (time.perf_counter() - began)
    drag = np.linspace(0, 1, values).tolist()
    sliders = {name: _percentiles(view.ms(**{name: v}) for v in drag) for name in SLIDERS}
    unseen = [k for k in range(case.grid.shape[0]) if k != view.index][:values]
    figures = {
        "picture": list(case.grid.shape[1:]),
        "slice": view.index,
        "first_ms": round(first_ms, 1),
        **{name: max(s[name] for s in sliders.values()) for name in ("p50_ms", "p95_ms")},
        "sliders": sliders,
        f"alpha_at_{HANDS_HZ}_hz": _paced(view, drag),
        "scrolling": _percentiles(view.ms(index=k) for k in unseen),
    }
    engine.close_case(view.case_id).result(WAIT_S)
    return figures


def _paced(view: View, drag: list[float]) -> dict[str, Any]:
    """Values at the pace of a hand: those that a newer one overtook are not shown."""
    replies: SimpleQueue = SimpleQueue()
    began = time.perf_counter()
    for number, value in enumerate(drag):
        time.sleep(max(0.0, began + number / HANDS_HZ - time.perf_counter()))
        sent = time.perf_counter()
        future = view.ask(alpha=value).future
        future.add_done_callback(lambda f, sent=sent: replies.put((1000 * (time.perf_counter() - sent), f.exception())))
    answers = [replies.get(timeout=WAIT_S) for _ in drag]
    if unwanted := [e for _, e in answers if e and getattr(e, "code", "") != "superseded"]:
        raise unwanted[0]
    return _percentiles(ms for ms, error in answers if error is None)


def _bench_whole(engine: Engine, case: Case, device: str) -> dict[str, float]:
    """Seconds of the case's whole volume, and of one slice by the guided teacher."""
    view = _opened(engine, case, device)
    volume = _timed(lambda: engine.fuse_volume(view.case_id, device=device).result(WAIT_S))
    guided = view.ms(guided=True, samples=1) / 1000
    return {"volume_s": round(volume, 2), "guided_slice_s": round(guided, 2)}


def _percentiles(latencies_ms: Iterable[float]) -> dict[str, Any]:
    """The 50th and 95th; n/a for none, as when a case has a single slice."""
    shown = list(latencies_ms)
    p50, p95 = np.percentile(shown, (50, 95)).round(1).tolist() if shown else (None, None)
    return {"p50_ms": p50, "p95_ms": p95, "pictures": len(shown)}


def _judged(figures: dict[str, Any], device: str) -> dict[str, Any]:
    aims = AIMS[device.split(":")[0]]
    missed = [f"{name} {figures[name]:g}, wanted {aim}" for name, aim in aims.items() if figures[name] > aim]
    return {"aims": aims, "missed": missed}


def _machine(device: str) -> str:
    gpu = f" ({torch.cuda.get_device_name(device)})" if device.startswith("cuda") else ""
    threads = f"{processors()} of {psutil.cpu_count()} cores, {torch.get_num_threads()} threads"
    return f"{platform.machine()}, {threads}, torch {torch.__version__}, device {device}{gpu}"


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
