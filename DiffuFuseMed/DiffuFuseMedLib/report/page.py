"""The page: report.html, self-contained, for the screen and for paper."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from ..core.agreement import Agreement, colors_of
from ..core.case import Case
from ..core.fusion import Fusion
from ..core.maps import MAPS
from ..core.modalities import title_of
from ..core.prediction import Prediction
from ..core.probed import ProbeRecord
from ..core.staging import staged
from ..core.suv_units import BODY_WEIGHT, SuvScale
from ..core.whole_file import write_whole
from . import content, figures
from .fusion import fusion_section
from .probe import probe_section
from .review import ReviewSection, review_section
from .scene import scene_of
from .templates import filled

SHOWN_MAP = "predictive_entropy"


def write_report(
    prediction: Prediction,
    case: Case,
    path: Path,
    quality: list[str],
    measures: dict[str, float | None],
    scores: dict[str, Any] | None = None,
    fusion: Fusion | None = None,
    review: ReviewSection | None = None,
    suv: SuvScale = BODY_WEIGHT,
    annotators: Agreement | None = None,
    probe: ProbeRecord | None = None,
) -> None:
    """Write the report of a run to `path`; nothing outside the file is needed to read it.

    quality: sentences on the input; measures: from core.lesion.quantify, in the unit `suv`; scores: against the
    reference mask; annotators: how far several agree, and the lesion with them; probe: which synthetic tumors the
    prediction's model finds in this case;
    fusion, review: of the same case, for a section of their own; after a correction in the review, `measures` and the
    prediction's labels are those of the corrected lesion, and the page says so.
    Raises InputError when the folder cannot be written, or prediction, fusion or review is not on the case's grid.
    """
    page = _page(prediction, case, quality, measures, scores, suv)
    parts = {
        "fusion": fusion_section(fusion, case) if fusion else None,
        "review": review_section(review, case) if review else None,
        "corrected": review is not None and review.corrected,
        "annotators": content.annotator_section(annotators, colors_of(tuple(case.references))),
        "probe": probe_section(probe) if probe else None,
    }
    if parts["corrected"]:
        page["numbers"] = content.corrected_numbers(prediction.volume_ml, measures, suv, prediction.uptake)
    _write("report.html.j2", {**page, **parts}, path)


def write_fusion_report(fusion: Fusion, case: Case, path: Path) -> None:
    """Write the report of a fusion alone to `path`, as self-contained. Raises InputError like write_report."""
    content_of_page = {"case": case.name, "date": _now(), "modalities": f"CT and {title_of(fusion.mri)}"}
    _write("fusion_page.html.j2", {**content_of_page, "fusion": fusion_section(fusion, case)}, path)


def _write(template: str, entries: dict[str, Any], path: Path) -> None:
    html = filled(template, entries)
    with staged(path.parent) as staging:
        write_whole(staging / path.name, html)


def _now() -> str:
    return f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"


def _page(
    prediction: Prediction,
    case: Case,
    quality: list[str],
    measures: dict[str, float | None],
    scores: dict[str, Any] | None,
    suv: SuvScale,
) -> dict[str, Any]:
    scene, provenance = scene_of(prediction, case, suv), prediction.provenance
    return {
        "case": case.name,
        "model": content.model_words(provenance),
        "modalities": ", ".join(title_of(m) for m in case.modalities if m in prediction.modalities),
        "date": _now(),
        "empty": not scene.masks["lesion"].any(),
        "outside": prediction.outside,
        "level": "" if prediction.outside else f"{100 * prediction.volume_ml.level:g} %",
        "numbers": content.key_numbers(prediction.volume_ml, measures, suv, prediction.uptake),
        "suv": f"{suv.told.name} is SUV {suv.told.title}",
        "quality": [*quality, *(n for n in provenance.get("notes", ()) if n not in quality)],
        "gates": content.gate_rows(prediction.gates),
        "scores": content.score_rows(scores or {}),
        "provenance": content.provenance_rows(provenance),
        "columns": content.columns(scene, SHOWN_MAP),
        "planes": content.plane_rows(scene, SHOWN_MAP),
        "maps": content.map_rows(scene),
        "montage": content.montage(scene),
        "has_reference": "reference" in scene.masks,
        "colors": scene.colors,
        "color_bar": content.data_uri(figures.color_bar(MAPS[SHOWN_MAP].colors)),
        "uncertainty_top": MAPS[SHOWN_MAP].top,
        "uncertainty_unit": MAPS[SHOWN_MAP].unit,
        "uncertainty_faint": f"{figures.FAINT * MAPS[SHOWN_MAP].highest:.2f} {MAPS[SHOWN_MAP].unit}",
    }
