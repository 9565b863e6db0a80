"""The suites: what each trains and scores, and of which tables and figures its page is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import figures, other_tables, synthesis_tables, tables
from .drgo_table import PAIRS, drgo_table
from .papers import diff4mmlits, others
from .papers import diffufusemed as paper
from .parts import Missing, Part, Table
from .results import Results
from .seeds import each_seed, training_curves
from .sheet_figure import uncertainty
from .significance_table import table_8
from .variants import id_of

SHIPPED = ("sts-diffufusemed", "sts-caldiff", "sts-panel")
TABLE_1 = (
    "sts-diffufusemed",
    "sts-unet-2d",
    "sts-unet-3d",
    "sts-attention-unet",
    "sts-multi-encoder",
    "sts-transbts",
    "sts-segresnet",
    "sts-swin-unetr",
    "sts-mmformer",
    "sts-medfusion-transnet",
    "sts-caldiff",
)
DRAWING = (
    "sts-diffufusemed",
    "sts-segresnet",
    "sts-caldiff",
    "sts-prob-unet",
    "sts-phiseg",
    "sts-dropout",
    "sts-ensemble",
)  # whose draws differ, and the yardstick
FEW = ("sts-diffufusemed", "sts-segresnet", "sts-mmformer", "sts-caldiff")  # scored under many conditions
NO_WEIGHTS = (
    "No weights of these networks ship: with --minutes each is trained, or name folders of models with --models."
)


@dataclass(frozen=True)
class Suite:
    """kinds: of jobs beside the trainings; conditions: "clean", "corruptions" or "withheld"; recipes: trained with
    --minutes, () where there is nothing to train; shipped: scored without."""

    title: str
    kinds: tuple[str, ...]
    parts: Callable[[Results], Sequence[Part]]
    recipes: tuple[str, ...] = ()
    shipped: tuple[str, ...] = SHIPPED
    conditions: str = "clean"


def _sts(results: Results) -> list[Part]:
    parts: list[Part] = [tables.table_1(results), tables.table_7(results), table_8(results)]
    parts += [figures.roc(results), figures.precision_recall(results), figures.reliability(results)]
    parts += _sheets(results)
    parts += [Missing("Table 1 on BRATS", "This suite scores the cases that it was given, and not BRATS beside them.")]
    elsewhere = ", ".join(f"{name} Dice {dice:g} % ({drop:+g})" for name, (dice, drop) in paper.ELSEWHERE.items())
    why = f"This suite scores the cases that it was given, and no other collection; the paper: {elsewhere}."
    return [*parts, Missing("Table 5 and Figure 6", why), Missing("MedFusion-TransNet, Tables 1 to 4", others.TRANSNET)]


def _robustness(results: Results) -> list[Part]:
    return [tables.table_3(results), figures.noise(results)]


def _missing(results: Results) -> list[Part]:
    return [tables.table_4(results), figures.missing(results)]


def _ablation(results: Results) -> list[Part]:
    parts: list[Part] = [tables.table_2(results), figures.ablations(results), table_8(results)]
    parts += [part for part in (each_seed(results), training_curves(results)) if part]
    if not set(paper.ABLATIONS) & set(results.methods):
        parts.append(Missing("The rows without a part", NO_WEIGHTS))
    return parts


def _calibration(results: Results) -> list[Part]:
    shown = [figures.reliability(results), *_sheets(results)]
    return [tables.table_7(results), other_tables.diagnosis(results), *shown]


def _efficiency(results: Results) -> list[Part]:
    return [other_tables.table_6(results), figures.latency(results)]


def _fusion(results: Results) -> list[Part]:
    return [other_tables.fusion_table(results)]


def _raters(results: Results) -> list[Part]:
    return list(other_tables.rater_tables(results))


def _synthesis(results: Results) -> list[Part]:
    made = synthesis_tables
    filled: list[Part] = [made.table_iii(results), made.table_iv(results), made.table_v(results)]
    if not any(id_of(name) in results.methods for name in diff4mmlits.RECIPES if "synthetic" in name):
        filled.append(Missing("The rows with synthetic cases", NO_WEIGHTS))
    elsewhere = [Missing(title, why) for title, why in diff4mmlits.ELSEWHERE.items()]
    return [*filled, made.by_lesion(results), *elsewhere]


def _drgo(results: Results) -> list[Part]:
    parts: list[Part] = [drgo_table(results), tables.table_1(results)]
    if "sts-medfusion-transnet" not in results.methods:
        parts.append(Missing("The networks with DRGO", NO_WEIGHTS))
    return parts


def _sheets(results: Results) -> list[Part]:
    return [picture for method in results.systems if (picture := uncertainty(results, method))]


SUITES: dict[str, Suite] = {
    "sts": Suite("Segmentation of soft-tissue sarcoma", ("score", "trivial"), _sts, TABLE_1),
    "robustness": Suite("Corrupted images", ("score", "trivial"), _robustness, FEW, conditions="corruptions"),
    "missing": Suite("Withheld modalities", ("score", "trivial"), _missing, FEW, conditions="withheld"),
    "ablation": Suite("Without one part", ("score", "trivial"), _ablation, (*paper.ABLATIONS, "sts-segresnet")),
    "calibration": Suite("Calibration and uncertainty", ("score", "trivial", "diagnose"), _calibration, DRAWING),
    "efficiency": Suite("Speed and memory", ("measure",), _efficiency),
    "fusion": Suite("The fusion of CT and MR", ("fuse",), _fusion, shipped=()),
    "raters": Suite("Samples against several readers", ("raters", "raters-trivial"), _raters, (
        "sts-caldiff", "sts-caldiff-plain", "sts-prob-unet", "sts-phiseg", "sts-dropout", "sts-ensemble",
        "sts-caldiff-no-step-uc", "sts-caldiff-no-seq-uc", "sts-caldiff-s3", "sts-caldiff-s4",
    ), ("sts-caldiff", "sts-diffufusemed")),
    "synthesis": Suite("Synthetic tumors", ("score", "trivial", "look"), _synthesis, diff4mmlits.RECIPES),
    "drgo": Suite("DRGO in three networks", ("score", "trivial"), _drgo, (*PAIRS, *PAIRS.values())),
}  # fmt: skip


def failures(results: Results) -> Table | None:
    """The jobs that failed, each with its reason; None where none did."""
    if not results.failed:
        return None
    rows = []
    for done in results.failed:
        spec = done.job.spec
        method = spec.get("method", spec.get("recipe", ""))
        rows.append((done.job.kind, method, spec.get("case", ""), spec.get("condition", ""), done.reason))
    columns = ("job", "model", "case", "condition", "why")
    return Table("Jobs that failed", columns, tuple(rows), ("--retry tries them again.",))
