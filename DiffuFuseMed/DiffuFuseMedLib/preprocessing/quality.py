"""What a reader should know of a Case before believing anything computed from it, in plain sentences."""

from __future__ import annotations

import numpy as np

from ..core.case import Alignment, Case
from ..core.modalities import MODALITIES, is_color, is_mr

LOW_OVERLAP = 0.5
FULL_COVER = 0.98
TOO_LITTLE = " (too little overlap)"
WARNING = "Warning: "


def quality_report(case: Case) -> list[str]:
    """Sentences on the reference, alignments, what is missing, units assumed and warnings; none names a patient."""
    spacing = " x ".join(f"{s:.2f}" for s in case.grid.spacing_mm)
    lines = [f"All images are on the grid of {case.reference} ({spacing} mm)."]
    moving = [key for key in case.modalities if key != case.reference]
    lines += [_alignment_line(case, key) for key in moving if key in case.alignment]
    lines += [_sentence(f"{key}: {note}") for key in case.modalities for note in _notes_of(case, key)]
    lines += [f"There is no {kind} image." for kind in _missing(case)]
    lines += [_sentence(note) for note in case.notes]
    return lines + [warning for key in case.modalities for warning in _warnings(case, key)]


def doubts(case: Case) -> list[str]:
    """The sentences of the report that say that an image's own values or place may be wrong."""
    values = [
        _sentence(f"{key}: {note.removeprefix(WARNING)}")
        for key in case.modalities
        for note in case.volumes[key].meta.get("notes", ())
        if note.startswith(WARNING)
    ]
    places = [found.misfit for key, found in case.alignment.items() if key in case.volumes and found.misfit]
    return values + places


def shift_mm_and_rotation_degrees(case: Case, modality: str) -> tuple[float, float]:
    """How far the registration moved the middle of the case's grid, and by what angle it turned the image."""
    matrix = case.alignment[modality].moving_to_reference
    middle = np.append(case.grid.to_physical((np.array(case.grid.size) - 1) / 2), 1.0)
    # The point that came to lie in the middle of the grid started at the inverse image of the middle.
    shift = np.linalg.norm(middle - np.linalg.inv(matrix) @ middle)
    cosine = np.clip((np.trace(matrix[:3, :3]) - 1) / 2, -1, 1)
    return float(shift), float(np.degrees(np.arccos(cosine)))


def _missing(case: Case) -> list[str]:
    """What is expected and not there; of the MRs one is enough. Beside a picture in color nothing is expected."""
    if any(map(is_color, case.modalities)):
        return []
    kinds = {key: "MR" if spec.mr else key for key, spec in MODALITIES.items() if spec.expected}
    there = {kinds.get(key) for key in case.modalities}
    return [kind for kind in dict.fromkeys(kinds.values()) if kind not in there]


def _alignment_line(case: Case, key: str) -> str:
    alignment = case.alignment[key]
    if alignment.registered:
        shift, angle = shift_mm_and_rotation_degrees(case, key)
        how = f"{key} was registered to {case.reference} (moved {shift:.1f} mm, turned {angle:.1f} degrees)"
    elif not np.allclose(alignment.moving_to_reference, np.eye(4)):
        shift, angle = shift_mm_and_rotation_degrees(case, key)
        how = f"{key} lies elsewhere than its header places it (moved {shift:.1f} mm, turned {angle:.1f} degrees)"
    else:
        how = f"{key} lies where its header places it (not registered)"
    fit = _fit(alignment)
    return f"{how}; {fit if case.reference in case.volumes else fit.replace(TOO_LITTLE, '')}."


def _fit(alignment: Alignment) -> str:
    overlap = f"overlap {100 * alignment.overlap:.0f} %"
    if not np.isfinite(alignment.mutual_information):
        return f"mutual information unknown{TOO_LITTLE}, {overlap}"
    return f"mutual information {alignment.mutual_information:.2f} nats, {overlap}"


def _notes_of(case: Case, key: str) -> list[str]:
    alignment = case.alignment.get(key)
    return [*case.volumes[key].meta.get("notes", ()), *(alignment.notes if alignment else ())]


def _warnings(case: Case, key: str) -> list[str]:
    misfit = case.alignment[key].misfit if key in case.alignment else ""
    return [WARNING + misfit] * bool(misfit) + _cover(case, key)


def _cover(case: Case, key: str) -> list[str]:
    covered = float(case.valid[key].mean())
    if covered < LOW_OVERLAP:
        return [f"Warning: {key} covers only {100 * covered:.0f} % of the grid; elsewhere it is treated as missing."]
    if covered < FULL_COVER:
        view = "field of view" if is_mr(key) else "image"
        return [f"The {key} {view} covers {100 * covered:.0f} % of the grid; elsewhere it is treated as missing."]
    return []


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
