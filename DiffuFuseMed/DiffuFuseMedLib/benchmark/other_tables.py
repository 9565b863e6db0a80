"""Tables of what is not a score of a mask: efficiency, CalDiff's measures of sets, what diagnose says, the fusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from statistics import fmean, pstdev
from typing import Any

from ..report.fusion import METRICS
from ..tasks.fuse.evaluate import AIMS, groups
from .papers import caldiff, others
from .papers import diffufusemed as paper
from .parts import Table
from .results import Results, text_of
from .tables import seen

Measured = dict[str, Any]
FUSED = (
    "fused: what the shipped clin-fusediff-student and -teacher give; the others are simple rules. PSNR is cut off at "
    "60 dB, which a copy has; a copy of one image has no SCD."
)


def table_6(results: Results) -> Table:
    """Efficiency: a line a figure, a column a model, then the paper's."""
    measured = {done.job.spec["method"]: done.result for done in results.of("measure")}
    lines: dict[str, Callable[[Measured], Any]] = {
        "Parameters, M": lambda m: m["parameters_m"],
        "Model size, MB": lambda m: m["weights_mb_float16"],
        "FLOPs a slice, G": lambda m: m["slice"]["flops_g_per_slice"],
        "GPU, ms a slice": lambda m: m["slice"]["ms_per_slice"] if "peak_gpu_gib" in m["slice"] else None,
        "CPU, ms a slice": lambda m: None if "peak_gpu_gib" in m["slice"] else m["slice"]["ms_per_slice"],
        "GPU memory, GB": lambda m: _gigabytes(m["slice"].get("peak_gpu_gib")),
        "A case, s": lambda m: m["run"]["total_s"],
        "Memory of a case, GiB": lambda m: m["run"]["peak_gib"],
    }
    printed = [*lines, *(name for name in paper.TABLE_6 if name not in lines)]
    nothing = ("", "", "")
    rows = [
        (name, *(_told(lines.get(name), m) for m in measured.values()), *paper.TABLE_6.get(name, nothing))
        for name in printed
    ]
    columns = ("measured", *measured, *(f"paper: {name}" for name in (paper.OURS, paper.TRANSBTS, paper.UNET)))
    beside = tuple(range(len(columns) - 3, len(columns)))
    return Table("Table 6: efficiency", columns, tuple(rows), _of_machine(results), beside)


def _gigabytes(gib: float | None) -> float | None:
    """As the paper tells it: 10^9 bytes."""
    return None if gib is None else round(gib * 2**30 / 1e9, 2)


def _told(ask: Callable[[Measured], Any] | None, measured: Measured) -> str:
    value = ask(measured) if ask else None
    return "" if value is None else f"{value:g}"


def _of_machine(results: Results) -> tuple[str, ...]:
    machines = {done.result["machine"] for done in results.of("measure")}
    samples = results.request.samples
    return (
        f"Measured on {' and '.join(sorted(machines)) or 'nothing'}; the paper on an RTX 4090 and a Ryzen 9, with "
        "a network of another size: the times are not to be compared.",
        f"A slice: one draw of a slab of 256 x 256. A case: read, aligned and segmented with {samples} samples.",
        "There is no conversion to ONNX or TensorRT and no quantization here, so these rows have the paper's figures "
        "alone; model size: of all parameters in float16, whatever the file holds; the paper does not say which.",
    )


def rater_tables(results: Results) -> list[Table]:
    """CalDiff's Tables I and II, and what is measured beside them; mean ± standard deviation over cases, as printed."""
    rows = [done.result for done in results.of("raters")]
    rows += [row for done in results.of("raters-trivial") for row in done.result.values()]
    named = {m: _caldiff_row(results, m) for m in results.systems}
    parts = {m for m, name in named.items() if name in caldiff.TABLE_2[caldiff.LIDC] and name != caldiff.CALDIFF}
    first = [row for row in rows if row["method"] not in parts]
    made = [_caldiff_table("CalDiff, Table I", first, named, caldiff.TABLE_1[caldiff.LIDC], results)]
    second = [row for row in rows if named.get(row["method"]) in caldiff.TABLE_2[caldiff.LIDC]]
    made.append(
        _caldiff_table("CalDiff, Table II: without one part", second, named, caldiff.TABLE_2[caldiff.LIDC], results)
    )
    return [*made, _beside(rows, results)]


def _caldiff_row(results: Results, method: str) -> str:
    return results.paper_rows.get(method, "")


def _caldiff_table(
    title: str,
    rows: Sequence[Measured],
    named: dict[str, str],
    printed: dict[str, caldiff.Figures],
    results: Results,
) -> Table:
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = []
    for name, figures in printed.items():
        for method in [m for m in methods if named.get(m) == name] or [""]:
            own = [row for row in rows if row["method"] == method]
            lines.append((f"{name}: {method}" if method else name, *_pairs(own, figures)))
    for method in [m for m in methods if named.get(m, "") not in printed]:
        lines.append((method, *_pairs([row for row in rows if row["method"] == method], ("",) * 4)))
    heads = [head for column in caldiff.COLUMNS.values() for head in (column, "paper")]
    return Table(title, ("method", *heads), tuple(lines), _of_readers(rows, results), tuple(range(2, 9, 2)))


def _pairs(rows: Sequence[Measured], figures: Sequence[str]) -> list[str]:
    ours = [mean_and_sd([row.get(name) for row in rows]) for name in caldiff.COLUMNS]
    return [cell for pair in zip(ours, figures, strict=True) for cell in pair]


def mean_and_sd(values: Sequence[float | None]) -> str:
    """As CalDiff prints them; "" of none."""
    known = [v for v in values if v is not None and isfinite(v)]
    return f"{fmean(known):.4f}±{pstdev(known):.2f}" if known else ""


def _of_readers(rows: Sequence[Measured], results: Results) -> tuple[str, ...]:
    whose = " and ".join(dict.fromkeys(str(row["readers"]) for row in rows)) or "nobody"
    cases = len({row["case"] for row in rows})
    return (
        f"Against {whose} on {cases} case(s), mean ± standard deviation.",
        *seen(results, {row["method"] for row in rows}),
        "The paper's column is of slices of LIDC-IDRI nodules and four radiologists: other data and other readers, "
        "so it shows the order of size alone.",
    )


def _beside(rows: Sequence[Measured], results: Results) -> Table:
    names = [name for name in caldiff.BESIDE if any(row.get(name) is not None for row in rows)]
    lines = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        lines.append((method, *(mean_and_sd([row.get(name) for row in own]) for name in names)))
    return Table(
        "Also", ("method", *(caldiff.BESIDE[name] for name in names)), tuple(lines), _of_readers(rows, results)
    )


def diagnosis(results: Results) -> Table:
    """What `diffufusemed diagnose` measures, a line a figure and a column a model."""
    found: dict[str, dict[str, list[float]]] = {}
    for done in results.of("diagnose"):
        for name, value in done.result.items():
            if value is not None:
                found.setdefault(name, {}).setdefault(done.job.spec["method"], []).append(float(value))
    methods = [m for m in results.systems if any(m in by for by in found.values())]
    rows = [(name, *(text_of(by.get(m, [])) for m in methods)) for name, by in found.items()]
    note = "No paper prints these; `diffufusemed diagnose` explains them. Means over patients and seeds."
    return Table(
        "What samples and maps are worth", ("measured", *methods), tuple(rows), (note, *seen(results, methods))
    )


def _titled(name: str) -> str:
    label, unit = METRICS[name]
    return f"{label}, {unit}" if unit else label


def fusion_table(results: Results) -> Table:
    """The fusion beside the trivial ones, and what was aimed for."""
    rows = [row for done in results.of("fuse") for row in done.result["rows"]]
    clean = [{name: value for name, value in row.items() if value is not None} for row in rows]
    lines = []
    for group in groups(clean):
        cells = []
        for name, aim in AIMS.items():
            mean = group.means.get(name)
            known = mean is not None and isfinite(mean.mean)
            interval = f" [{mean.low:.3f}, {mean.high:.3f}]" if known and mean and isfinite(mean.low) else ""
            cells += [f"{mean.mean:.3f}{interval}" if known and mean else "", f"> {aim:g}"]
        lines.append((group.method, *cells))
    heads = [head for name in AIMS for head in (_titled(name), "aim")]
    seen = sorted({name for done in results.of("fuse") for name in done.result["seen"]})
    notes = [others.FUSION, FUSED, f"{len(results.of('fuse'))} case(s); intervals: bootstrap over cases, 95 %."]
    notes += [f"The fusion was trained on {len(seen)} of them."] if seen else []
    return Table("The fusion", ("method", *heads), tuple(lines), tuple(notes), tuple(range(2, 2 * len(AIMS) + 1, 2)))
