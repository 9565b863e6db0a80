"""Content: what the page says and shows, as plain lists the template walks through."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.agreement import Agreement, agreement_rows, agreement_words, pair_rows, set_rows
from ..core.lesion import ends_in
from ..core.maps import MAPS, of_prediction
from ..core.modalities import title_of
from ..core.prediction import Interval
from ..core.suv_units import SuvScale
from . import figures, words
from .planes import AXIAL, Plane, planes_of
from .scene import Scene
from .window_level import Window

MONTAGE_SLICES = 12
THUMBNAIL_IN = 3.6


def key_numbers(
    volume: Interval, measures: dict[str, float | None], suv: SuvScale, uptake: Mapping[str, Interval] | None = None
) -> list[dict[str, str]]:
    """Tiles: label, value, unit and what it means; the volume with its interval first, and what it rests on. uptake:
    intervals of other numbers, SUV by body weight; one that does not hold the number as it is now is left out."""
    reach = volume.withheld
    if volume.ends:
        reach = f"{_interval_words(volume.ends, volume.level)} {volume.unit}"
        reach += f", {volume.basis}" if volume.basis else ""
    tiles = [{"label": "Volume", "value": words.number(volume.value), "unit": volume.unit, "meaning": reach}]
    for key, (label, unit, meaning) in words.measures(suv).items():
        if key in measures:
            interval = (uptake or {}).get(key)
            reach = _reach(measures[key], interval, ends_in(suv, key, interval))
            value = words.number(measures[key])
            tiles.append(
                {"label": label, "value": value, "unit": unit, "meaning": ", ".join(filter(None, (meaning, reach)))}
            )
    return tiles


def _reach(value: float | None, interval: Interval | None, ends: tuple[float, float] | None) -> str:
    """The interval, with its ends in the value's unit, or why it is withheld; "" where there is none of this value."""
    if value is None or interval is None:
        return ""
    if ends is None:
        return interval.withheld.rstrip(".")
    return _interval_words(ends, interval.level) if ends[0] <= value <= ends[1] else ""


def _interval_words(ends: tuple[float, float], level: float) -> str:
    low, high = map(words.number, ends)
    return f"{100 * level:g} % interval {low} to {high}"


def corrected_numbers(
    volume: Interval, measures: dict[str, float | None], suv: SuvScale, uptake: Mapping[str, Interval] | None = None
) -> list[dict[str, str]]:
    """The tiles where the lesion was corrected by hand: its volume is measured, the interval the prediction's own."""
    predicted, *others = key_numbers(volume, measures, suv, uptake)
    reach = f". {volume.withheld}" if volume.withheld else f", {predicted['meaning']}"
    said = f"as corrected; predicted {predicted['value']} {volume.unit}{reach}"
    return [{**predicted, "value": words.number(measures["volume_ml"]), "meaning": said}, *others]


def gate_rows(gates: dict[str, float]) -> list[dict[str, Any]]:
    """One bar per modality, the heaviest first; width in percent of the whole."""
    total = sum(gates.values()) or 1.0
    ranked = sorted(gates.items(), key=lambda gate: -gate[1])
    return [{"label": title_of(m), "weight": f"{w:.2f}", "percent": round(100 * w / total, 1)} for m, w in ranked]


def score_rows(scores: dict[str, Any]) -> list[tuple[str, str]]:
    """Label and value with its unit; known scores in their order, others behind them under their own name."""
    known = [(label, scores[key], unit) for key, (label, unit) in words.SCORES.items() if key in scores]
    told = {*words.SCORES, "volume_ml", "volume_low_ml", "volume_high_ml"}  # the volume stands among the key numbers
    other = [(words.sentence_case(key), value, "") for key, value in scores.items() if key not in told]
    return [(label, f"{words.number(value)} {unit}".strip()) for label, value, unit in known + other]


def annotator_section(found: Agreement | None, colors: dict[str, str]) -> dict[str, Any] | None:
    """What the page says of several annotators; None where there are none."""
    if found is None:
        return None
    rows = [{**row, "color": colors.get(row["name"], "")} for row in agreement_rows(found)]
    return {
        "words": agreement_words(found),
        "rows": rows,
        "compared": bool(found.lesion),
        "pairs": pair_rows(found),
        "of_set": set_rows(found),
    }


def model_words(provenance: dict[str, Any]) -> str:
    """The model's id; of a panel also which network did what."""
    name = str(provenance.get("model", provenance.get("model_id", "not recorded")))
    members = [str(member["model"]) for member in provenance.get("members", ())]
    if len(members) < 2:
        return f"{name} ({members[0]} alone)" if members else name
    others = " and ".join(members[1:])
    return f"{name} (lesion and gates: {members[0]}; probability and doubt: {others} too)"


def provenance_rows(provenance: dict[str, Any]) -> list[tuple[str, str]]:
    """Label and value; an entry with entries of its own (versions, timings) takes one row each."""
    rows = []
    for key, value in provenance.items():
        label = words.PROVENANCE.get(key, words.sentence_case(key))
        if key not in words.HIDDEN:
            rows += _rows_of(label, value)
    return rows


def _rows_of(label: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return _nested_rows(label, value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(part, dict) for part in value):
        return [row for n, part in enumerate(value, 1) for row in _nested_rows(f"{label} {n}", part)]
    return [(label, _text(value))]


def _nested_rows(label: str, entries: dict[str, Any]) -> list[tuple[str, str]]:
    # "timings_s" has become "Timings s": its unit goes to the values.
    name, _, unit = label.rpartition(" ") if label.endswith(" s") else (label, "", "")
    return [(f"{name}: {key.replace('_', ' ')}", f"{_text(value)} {unit}".strip()) for key, value in entries.items()]


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value)) or "none"
    return words.number(float(value)) if isinstance(value, (float, np.floating)) else str(value)


def plane_rows(scene: Scene, name: str) -> list[dict[str, Any]]:
    """Per plane its place and its panels: every modality, then the doubt called `name` over the reference image."""
    planes = planes_of(scene.grid)
    widest = max(width_mm(scene, plane) for plane in planes)
    return [
        {
            "name": plane.name,
            "position": plane.position(scene.grid, scene.center_kji[plane.axis]),
            "width": round(100 * width_mm(scene, plane) / widest, 2),  # one scale in all planes
            "panels": _panels(scene, plane, name),
        }
        for plane in planes
    ]


def _panels(scene: Scene, plane: Plane, name: str) -> list[dict[str, str]]:
    others = "annotators" if scene.colors else "reference" if "reference" in scene.masks else ""
    drawn = "lesion contour, inner and outer contour" + (f" and {others}" if others else "")
    where = plane.place(scene.grid, scene.center_kji[plane.axis])
    panels = [
        {
            "src": data_uri(figures.image_panel(scene, m, plane)),
            "alt": f"{where}, {title_of(m)} with {drawn}",
        }
        for m in scene.images
    ]
    if name in scene.uncertainty:
        what = f"{words.in_sentence(MAPS[name].title)} in {MAPS[name].units}"
        alt = f"{where}, {what} over {title_of(scene.reference)}"
        panels.append({"src": data_uri(figures.uncertainty_panel(scene, name, plane)), "alt": alt})
    return panels


def columns(scene: Scene, name: str) -> list[dict[str, Any]]:
    """Title, caption and legend above each column of panels."""
    heads = [
        column(title_of(m), figures.window_in(scene, m)) if m in scene.windows else in_color(title_of(m))
        for m in scene.images
    ]
    doubt = {"title": "Doubt", "caption": MAPS[name].heading, "legend": None}
    return [*heads, doubt] if name in scene.uncertainty else heads


def column(title: str, window: Window) -> dict[str, Any]:
    """What stands above gray panels: their grays from the lowest value to the highest, with both as numbers."""
    low, high = f"{window.low:.4g}", f"{window.high:.4g} {window.unit}".strip()
    ends = ("white", "black") if window.inverted else ("black", "white")
    alt = f"Gray bar of {title} from {low}, {ends[0]}, to {high}, {ends[1]}"
    legend = {"src": data_uri(figures.gray_bar(window)), "low": low, "high": high, "alt": alt}
    return {"title": title, "caption": window.caption, "legend": legend}


def in_color(title: str) -> dict[str, Any]:
    """What stands above panels of a picture, which has its own colors."""
    return {"title": title, "caption": "as it was taken", "legend": None}


def map_rows(scene: Scene) -> list[dict[str, str]]:
    """Each uncertainty map: its name, what it means, and a small axial picture."""
    plane = planes_of(scene.grid)[0]
    place = words.in_sentence(plane.place(scene.grid, scene.center_kji[plane.axis]))
    return [
        {
            "title": spec.title,
            "text": spec.meaning,
            "src": data_uri(figures.uncertainty_panel(scene, key, plane, THUMBNAIL_IN)),
            "alt": f"{spec.title} in {spec.units}, {place}",
        }
        for key, spec in of_prediction().items()
        if key in scene.uncertainty
    ]


def montage(scene: Scene) -> dict[str, str] | None:
    """Axial slices through the lesion, evenly apart from its top to its bottom; None without a lesion, and of a
    single slice, which is shown already."""
    if 1 in scene.grid.shape:
        return None
    filled = np.flatnonzero(scene.masks["lesion"].any(axis=(1, 2)))
    if not filled.size:
        return None
    count = min(MONTAGE_SLICES, filled.size)
    chosen = filled[np.round(np.linspace(filled.size - 1, 0, count)).astype(int)]
    ends = [AXIAL.position(scene.grid, int(k)) for k in (chosen[0], chosen[-1])]
    picture = figures.montage(scene, [int(k) for k in chosen], columns=min(6, count))
    title = f"{count} axial slices through the lesion, {ends[0]} to {ends[1]}"
    name = title_of(scene.reference)
    return {"title": title, "src": data_uri(picture), "alt": f"{title}: {name} with contours"}


def data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def width_mm(scene: Scene, plane: Plane) -> float:
    return scene.grid.extent_mm[0 if plane.axis != 2 else 1]
