"""The domain guard: whether a case is one of those that a model is for, before a run and beside its result.

A model's domain is data in its model.json, fitted by `diffufusemed domain`: body_parts, extent_mm (shortest and longest
edge of the field of view), lesion_ml, needed (modalities without which no range holds), and likeness: by modality what
its images usually look like (likeness.py), with the farthest that held-out patients lie as `threshold`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.case import Case
from ..core.modalities import title_of
from .likeness import distance, features

EDGE_MM2 = 100.0  # of a lesion's cross-section in one face of the images: cut off, not just near


@dataclass(frozen=True)
class Findings:
    """Sentences. outside: each alone takes the case out of the domain; remarks: what to know within it."""

    outside: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        return (*self.outside, *self.remarks)

    def and_also(self, *outside: str) -> Findings:
        return Findings((*self.outside, *outside), self.remarks)


def before_run(
    case: Case,
    domain: Mapping[str, Any],
    modalities: Sequence[str],
    on: Sequence[str],
    calibrated_alone: Collection[frozenset[str]] = (),
) -> Findings:
    """What the case itself tells. domain: of the model's record, {} where it has none; modalities: what the model
    takes; on: those of the case that are switched on; calibrated_alone: which of them are enough for a range, besides
    all that the domain needs."""
    unused = [key for key in on if key not in modalities]
    remarks = [f"{_titles(unused)} will not be used: the model was not trained with it."] if unused else []
    used = case.only([key for key in on if key in modalities])
    if frozenset(used.modalities) in calibrated_alone:
        remarks.append(_alone(used.modalities, modalities))
    if not domain:
        return Findings((), tuple(remarks))
    return Findings(
        (
            *_missing(used, domain, calibrated_alone),
            *_body_part(case, domain),
            *_view(case, domain),
            *unlike(used, domain),
        ),
        tuple(remarks),
    )


def beside_result(case: Case, domain: Mapping[str, Any], lesion: np.ndarray) -> list[str]:
    """What the found lesion tells, bool [k, j, i]: sentences, each of which takes the result out of the domain. Nothing
    is said for a model that does not say which cases it is for ({})."""
    if not domain:
        return []
    if not lesion.any():
        return ["Nothing was found (0 mL), which does not mean that there is no lesion."]
    volume_ml, (low, high) = (
        float(np.count_nonzero(lesion)) * case.grid.voxel_mm3 / 1000,
        domain.get("lesion_ml", (0, np.inf)),
    )
    size = f"The lesion has {volume_ml:.1f} mL, those of the training {low:.0f} to {high:.0f} mL."
    said = [] if low <= volume_ml <= high else [size]
    cut = "The lesion reaches the edge of the images, so a part of it may lie outside of them."
    return [*said, cut] if _cross_section_mm2(lesion, case) >= EDGE_MM2 else said


def withheld(outside: Sequence[str]) -> str:
    """Why no range is shown, in one sentence, by the first of what takes the case out of the domain."""
    if not outside:
        return ""
    first = outside[0]
    why = first if first[1:2].isupper() else first[0].lower() + first[1:]  # "CT is unlike" begins with a name
    return f"No range is shown, because the model was not made for such a case: {why}"


def unlike(case: Case, domain: Mapping[str, Any]) -> list[str]:
    """A sentence for each modality whose image is unlike those of the training."""
    said = []
    for key, known in domain.get("likeness", {}).items():
        found = features(case.volumes[key], case.valid[key]) if key in case.volumes else None
        if found == {}:
            said.append(f"{title_of(key)} shows hardly any body.")
        elif found:
            far, most = distance(found, known)
            if far > known["threshold"]:
                how = f"distance {far:.1f}, at most {known['threshold']:.1f} in patients held out"
                said.append(f"{title_of(key)} is unlike the images of the training, most of all in its {most} ({how}).")
    return said


def _missing(used: Case, domain: Mapping[str, Any], calibrated_alone: Collection[frozenset[str]]) -> list[str]:
    if frozenset(used.modalities) in calibrated_alone:
        return []
    lacking = [key for key in domain.get("needed", ()) if key not in used.volumes]
    return (
        [f"The model was calibrated with {_titles(domain['needed'])} together; missing: {_titles(lacking)}."]
        if lacking
        else []
    )


def _alone(used: Sequence[str], modalities: Sequence[str]) -> str:
    without = [key for key in modalities if key not in used]
    rests = f"ranges and probabilities are those of patients with {_titles(used)} alone"
    return f"Without {_titles(without)}: {rests}."


def _body_part(case: Case, domain: Mapping[str, Any]) -> list[str]:
    known = domain.get("body_parts", ())
    told = {str(volume.meta.get("body_part", "")) for volume in case.volumes.values()}
    strange = sorted(part for part in told if part and part not in known)
    return [f"The images are of the {strange[0]}, the model is for: {', '.join(known)}."] if known and strange else []


def _view(case: Case, domain: Mapping[str, Any]) -> list[str]:
    low, high = domain.get("extent_mm", (0, np.inf))
    edges = case.grid.extent_mm
    if low <= min(edges) and max(edges) <= high:
        return []
    shown = " x ".join(f"{edge:.0f}" for edge in edges)
    return [f"The field of view is {shown} mm, in the training its edges were {low:.0f} to {high:.0f} mm."]


def _cross_section_mm2(lesion: np.ndarray, case: Case) -> float:
    """The largest area that the lesion has in a face of the images."""
    spacing, faces = case.grid.spacing_kji_mm, []
    for axis in range(3):
        area = float(np.prod([s for n, s in enumerate(spacing) if n != axis]))
        faces += [area * np.count_nonzero(lesion.take(end, axis)) for end in (0, -1)]
    return max(faces)


def _titles(keys: Sequence[str]) -> str:
    return ", ".join(title_of(key) for key in keys)
