"""Fusion: what the page says and shows of the fused image, as plain lists the template walks through."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..core.case import Case
from ..core.fusion import Fusion
from ..core.maps import MAPS
from ..core.modalities import spec_of, title_of
from ..core.tracer_colors import tracer_rgba
from . import fusion_figures, words
from .content import column, data_uri, provenance_rows, width_mm
from .figures import LINES, color_bar, strip
from .fusion_scene import FIELD_OF_VIEW, SHOWN_MAP, fusion_scene, fusion_windows, tracer_of
from .planes import PLANES, Plane
from .scene import Scene
from .window_level import Window

SLIDERS = {"alpha": "soft tissue like MRI", "beta": "bone like CT", "gamma": "lesion border"}
ADVANCED = {
    "lambdas": "Weights of Dice, NSD and HD95",
    "tau_mm": "Tolerance of the border",
    "ct_window_hu": "CT window",
}
UNITS = {"tau_mm": "mm", "ct_window_hu": "HU"}
METRICS = {  # label, unit; in the order shown
    "soft_ssim_mri": ("Soft tissue SSIM to MR", ""),
    "soft_fsim_mri": ("Soft tissue FSIM to MR", ""),
    "bone_psnr_ct": ("Bone PSNR to CT", "dB"),
    "bone_ssim_ct": ("Bone SSIM to CT", ""),
    "lesion_dice": ("Lesion Dice", ""),
    "lesion_nsd": ("Lesion NSD", ""),
    "lesion_hd95_mm": ("Lesion HD95", "mm"),
    "ct_in_soft": ("CT content in soft tissue", ""),
    "seam": ("Edge along bone", "1 is right"),
    "seam_excess": ("Seam at bone", "0 is right"),
    "Qabf": ("Qabf", ""),
    "SCD": ("SCD", ""),
    "flicker_axial": ("Flicker axial", "of 255"),
    "flicker_coronal": ("Flicker coronal", "of 255"),
    "flicker_sagittal": ("Flicker sagittal", "of 255"),
}


def fusion_section(fusion: Fusion, case: Case) -> dict[str, Any]:
    """Everything the template fusion.html.j2 names. Raises InputError when fusion and case are not on one grid."""
    scene, tracer = fusion_scene(fusion, case), tracer_of(case)
    windows = fusion_windows(fusion, scene)
    return {
        "mri": title_of(fusion.mri),
        "preset": fusion.preset,
        "sliders": slider_rows(fusion),
        "advanced": advanced_rows(fusion),
        "columns": _columns(fusion, windows, tracer),
        "planes": [_plane_row(fusion, scene, windows, tracer, plane) for plane in PLANES],
        "rois": roi_rows(fusion),
        "metrics": metric_table(fusion.metrics),
        "flicker": [(words.sentence_case(key), words.number(value)) for key, value in _numbers(fusion.fused.flicker)],
        "provenance": provenance_rows({**_unsaid(fusion), "timings_s": fusion.fused.timings}),
        "notes": list(fusion.notes),
        "no_lesion": "" if fusion.rois.lesion.any() else fusion.rois.source.get("lesion", "none given"),
        "mr_ends": None if scene.masks[FIELD_OF_VIEW].all() else LINES[FIELD_OF_VIEW][0],
        "tracer": title_of(tracer) if tracer else None,
        "tracer_top": f"{windows[tracer].high:.3g} {spec_of(tracer).report_unit}".strip() if tracer else "",
        "tracer_bar": data_uri(strip(tracer_rgba(fusion_figures.TRACER_COLORS)[:, :3])),
        "uncertainty_bar": data_uri(color_bar(MAPS[SHOWN_MAP].colors)),
        "uncertainty_top": f"{MAPS[SHOWN_MAP].highest:g}",
        "uncertainty_meaning": MAPS[SHOWN_MAP].meaning,
    }


def slider_rows(fusion: Fusion) -> list[dict[str, Any]]:
    """Per slider its name, what it asks for, its value, and the preset's value where a hand moved it."""
    rows = []
    for name, meaning in SLIDERS.items():
        value = getattr(fusion.settings, name)
        start = getattr(fusion.preset, name, value)
        moved = "" if start == value else f"moved from the preset's {start:.2f}"
        percent = round(100 * value, 1)
        rows.append({"name": name, "meaning": meaning, "value": f"{value:.2f}", "percent": percent, "moved": moved})
    return rows


def advanced_rows(fusion: Fusion) -> list[tuple[str, str]]:
    """Label and value with its unit of every other setting."""
    told = {k: v for k, v in asdict(fusion.settings).items() if k not in SLIDERS}
    ordered = {**{k: told[k] for k in ADVANCED if k in told}, **told}
    return [
        (ADVANCED.get(k, words.sentence_case(k)), f"{_setting(k, v)} {UNITS.get(k, '')}".strip())
        for k, v in ordered.items()
    ]


def roi_rows(fusion: Fusion) -> list[dict[str, str]]:
    """Per ROI the color of its outline, its volume, and how it was made; an empty one says so."""
    return [
        {
            "name": words.sentence_case(name),
            "color": LINES[name][0],
            "volume": f"{words.number(ml)} mL" if ml else "empty",
            "source": fusion.rois.source.get(name, ""),
        }
        for name, ml in fusion.roi_ml.items()
    ]


def metric_table(metrics: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Head and rows, the fused image first; a metric that only some rows have is n/a in the others. None for none."""
    if not metrics:
        return None
    named = {key for row in metrics.values() for key in row}
    keys = [*(k for k in METRICS if k in named), *sorted(named - set(METRICS))]
    ranked = sorted(metrics.items(), key=lambda row: row[0] != "fused")
    return {
        "head": [METRICS.get(key, (words.sentence_case(key), "")) for key in keys],
        "rows": [
            {
                "name": _method(name),
                "ours": name == "fused",
                "cells": [words.number(row.get(k)) for k in keys],
            }
            for name, row in ranked
        ],
    }


def _columns(fusion: Fusion, windows: dict[str, Window], tracer: str | None) -> list[dict[str, Any]]:
    """Title, caption and legend above each column of panels."""
    heads = [column("CT", windows["CT"]), column(title_of(fusion.mri), windows[fusion.mri])]
    heads.append(column("Fused", windows["fused"]))
    if tracer:
        heads.append({"title": f"{title_of(tracer)} on fused", "caption": "color layer", "legend": None})
    return [*heads, {"title": "Doubt", "caption": MAPS[SHOWN_MAP].heading, "legend": None}]


def _plane_row(
    fusion: Fusion, scene: Scene, windows: dict[str, Window], tracer: str | None, plane: Plane
) -> dict[str, Any]:
    where = f"{plane.name} slice at {plane.position(scene.grid, scene.center_kji[plane.axis])}"
    draw = fusion_figures
    panels = [
        (draw.gray_panel(scene, "CT", windows["CT"], plane, ("bone", "lesion")), "CT with bone and lesion outline"),
        (
            draw.gray_panel(scene, fusion.mri, windows[fusion.mri], plane, ("soft", "lesion")),
            f"{title_of(fusion.mri)} with soft-tissue and lesion outline",
        ),
        (draw.gray_panel(scene, "fused", windows["fused"], plane, (FIELD_OF_VIEW,)), "fused image"),
    ]
    if tracer:
        drawn = draw.tracer_panel(scene, tracer, windows[tracer], plane)
        panels.append((drawn, f"{title_of(tracer)} as color over the fused image"))
    panels.append((draw.uncertainty_panel(scene, SHOWN_MAP, plane), words.in_sentence(MAPS[SHOWN_MAP].title)))
    return {
        "name": plane.name,
        "position": where.split(" at ")[1],
        "width": round(100 * width_mm(scene, plane) / max(width_mm(scene, p) for p in PLANES), 2),
        "panels": [{"src": data_uri(png), "alt": f"{where}, {what}"} for png, what in panels],
    }


def _unsaid(fusion: Fusion) -> dict[str, Any]:
    """The provenance without the settings, which have a table of their own."""
    said = {*asdict(fusion.settings), "settings"}
    return {key: value for key, value in fusion.fused.provenance.items() if key not in said}


def _numbers(entries: dict[str, Any]) -> list[tuple[str, Any]]:
    """Entries as pairs; one with entries of its own takes one pair each."""
    pairs = []
    for key, value in entries.items():
        pairs += [(f"{key}, {inner}", v) for inner, v in value.items()] if isinstance(value, dict) else [(key, value)]
    return pairs


def _method(name: str) -> str:
    """A row's name; abbreviations stay capital."""
    return words.sentence_case(" ".join(w.upper() if w in ("mri", "ct", "roi", "mr") else w for w in name.split()))


def _setting(key: str, value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return (" to " if key == "ct_window_hu" else ", ").join(f"{x:g}" for x in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
