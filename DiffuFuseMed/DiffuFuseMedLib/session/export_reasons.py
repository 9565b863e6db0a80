"""Why a file cannot leave the session now, and what to know of it where it can, in one sentence each."""

from __future__ import annotations

from .view_state import ViewState

FUSED, REPORT = "fused.nrrd", "report.html"
KINDS = ("seg.nrrd", "nii.gz", "seg.dcm", "rtstruct.dcm", REPORT, FUSED)

SYNTHETIC = "A synthetic tumor is shown: go back to the patient's images to export something."
NO_LESION = "There is no segmentation yet: run it first."
RUNNING = "The segmentation is being run: wait until it is done, or cancel it to export the one on screen."
LISTING = "The worklist of the new result is still being made: wait a moment, the report holds it."
APPLYING = "An edit of the lesion is still being applied: wait a moment."
REFINING = "The fused volume is still being refined: wait until it is finished."
NOT_CURRENT = "The fused volume is of earlier settings: move a slider to have it drawn again."
WITHOUT_FUSION = "Preliminary: the fused image is still being refined, so a report made now is without it."
WITHOUT_REASONS = "Preliminary: the reasons of the worklist are still being looked for."
OTHER_SETTINGS = "The result on screen is of other settings than those chosen now."


def why_not(kind: str, view_state: ViewState) -> str:
    """Why it cannot be exported at present; empty when it can. kind: of KINDS."""
    if view_state.synthetic:
        return SYNTHETIC
    if kind == FUSED:
        return _why_not_fused(view_state)
    if not view_state.numbers and not view_state.counting:
        return NO_LESION
    if view_state.run == "working":
        return RUNNING
    if view_state.applying:
        return APPLYING
    return LISTING if kind == REPORT and view_state.listing else ""


def note(kind: str, view_state: ViewState) -> str:
    """What is not final in it, where it can be exported; empty when all is."""
    if kind == FUSED:
        return ""
    if view_state.run == "stale":
        return OTHER_SETTINGS
    if kind == REPORT and view_state.fusion == "working":
        return WITHOUT_FUSION
    return WITHOUT_REASONS if kind == REPORT and view_state.explaining else ""


def judge(view_state: ViewState) -> None:
    """Put both on the view state, each note once."""
    view_state.no_export = {kind: why_not(kind, view_state) for kind in KINDS}
    found = [view_state.no_export[kind] or note(kind, view_state) for kind in KINDS]
    view_state.export_notes = tuple(dict.fromkeys(sentence for sentence in found if sentence))


def _why_not_fused(view_state: ViewState) -> str:
    known = {"ready": "", "working": REFINING, "stale": NOT_CURRENT}
    return known.get(view_state.fusion, "There is no fused volume: it takes a CT and an MR.")
