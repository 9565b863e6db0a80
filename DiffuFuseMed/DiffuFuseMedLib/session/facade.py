"""Facade: what a host may ask of the parts of a Session, beside the Session's own methods.

A part can do more than this, for its siblings; a host that asks for more is found by Testing/session/test_facade.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

Origin = Literal["none", "model", "corrected"]


class DisplayFacade(Protocol):
    """Which pictures lie over each other in the slice views."""

    def refresh(self) -> None:
        """Layers, windows, overlays and outlines as the parameters have them."""

    def show_before(self, before: bool) -> None:
        """The reference image instead of the fused picture, for as long as the reader wants to compare them."""

    def show_reference(self, on: bool) -> None:
        """The reference image below, whatever was chosen, for a tool that works on its values."""

    def unit_of(self, role: str) -> str:
        """What values of a volume are shown in."""

    def per_shown(self, role: str) -> float:
        """What a volume's own values are multiplied by before they are shown."""

    def jump(self, center_lps: tuple[float, float, float]) -> None:
        """All views to a point, in mm."""

    def probe(self, ras: tuple[float, float, float]) -> dict[str, str]:
        """Values at a point, RAS mm, in words with their unit, by what they are of; empty outside the case."""


class HealthyFacade(Protocol):
    """The images as they may look without the lesion: view_state.healthy and healthy_words."""

    def why_not(self) -> str:
        """Why there is none to show, one sentence; empty when there may be."""

    def show(self, on: bool) -> None:
        """The images without the lesion, made first where they are not there yet; off: as they were taken."""


class ProbingFacade(Protocol):
    """A test of the model: a synthetic tumor in place of the patient's images, and whether it is found. On the view
    state: probing, probing_words, no_probing, synthetic and probes."""

    def place_at_crosshair(self) -> None:
        """A tumor of the chosen size and contrast where the crosshair is, and the chosen model on it."""

    def place_at_random(self) -> None:
        """The same where there is room for it."""

    def back(self) -> None:
        """The patient's images, with all that lay over them; a tumor that is being made is not waited for any more."""


class PlacementFacade(Protocol):
    """Where the images lie beside the reference; each change is one step to undo."""

    def nudge(self, key: str, number: int, value: float) -> None:
        """One of the six numbers by which the hand moved an image (core.pose.Pose): mm to the left, the back and the
        head, degrees about the axes to these. Raises InputError for what cannot be."""

    def register(self, key: str) -> None:
        """Bring an image onto the reference, behind the reader's back. Raises InputError for one that cannot be."""

    def stop_registering(self) -> None:
        """The image stays where it is."""

    def reset(self, key: str) -> None:
        """The image back to where it was opened."""


class FusionFacade(Protocol):
    """The fused picture, which follows the sliders."""

    def why_not(self) -> str:
        """What the case lacks for a fusion, in words; empty when it can be fused."""

    def mris(self) -> list[str]:
        """The case's MRs, by modality key: the first is fused unless the parameter `mri` names another one."""

    def go_first(self, view: str) -> None:
        """view: id of the slice node in whose view the reader works: its picture comes before those of the others."""

    def draw_shown(self) -> None:
        """Ask for the slices on screen that are not of the present settings."""

    def stale_views(self) -> dict[str, str]:
        """What the picture is, in words, by the id of each slice node where it is not of the present settings."""


class LesionFacade(Protocol):
    """The lesion as it stands now."""

    @property
    def node(self) -> Any:
        """The vtkMRMLSegmentationNode whose segment "lesion" the tools act on; None before the first result."""

    @property
    def origin(self) -> Origin:
        """Whether there is none, it is as the model drew it, or a reader corrected it."""

    def mask(self) -> np.ndarray | None:
        """bool [k, j, i] with all corrections; None before the first result."""


class ReviewFacade(Protocol):
    """The worklist, one region at a time."""

    def choose(self, region_id: int) -> None:
        """Jump to a region and limit the editor to it."""

    def next(self) -> None:
        """Choose the next open region."""

    def previous(self) -> None:
        """Choose the region before."""

    def decide(self, skip: bool = False) -> None:
        """Accept the region as it is now, corrected if a voxel of it changed, or skip it; then go to the next."""

    def limit(self) -> None:
        """Edit inside the chosen region only, nowhere without one, or anywhere, as the parameter says."""

    def keep_limit(self) -> None:
        """Limit again where something else, such as the editor's undo, brought back other limits."""


class ChoicesFacade(Protocol):
    """Outlines of the region in focus, of which the reader may take one instead of painting: view_state.choices."""

    def preview(self, key: int) -> None:
        """Show an outline, from 1, as a ghost over the lesion; the one that is shown already is put away."""

    def drop(self) -> None:
        """No ghost is shown, and the lesion stays as it is."""

    def take(self) -> None:
        """The outline that is shown becomes the lesion's in this region or part of it, one step; then the next part is
        in focus, and after the last the region is decided."""

    def none(self) -> None:
        """None of them: the lesion is right there as it stands, or one outline cannot say it; the next part is in
        focus, and after the last the region is decided. One step."""


class PersistenceFacade(Protocol):
    """The scene and the files that leave it."""

    def save_scene(self, path: Path) -> bool:
        """Write everything into one .mrb; True when it is there."""

    def save_scene_behind(self, path: Path, done: Callable[[], None]) -> bool:
        """save_scene() behind the reader's back; done(): called when it is there. True when it has begun or waits."""

    def export_behind(self, kind: str, path: Path, done: Callable[[], None]) -> bool:
        """One file in the same way. kind: seg.nrrd, nii.gz, seg.dcm, rtstruct.dcm, fused.nrrd or report.html."""

    def saved_by_host(self) -> None:
        """The host has saved the whole scene by itself."""

    def record(self, at_once: bool = True) -> None:
        """Write what is not in nodes yet, for whoever saves the scene; at_once: also a worklist still being made, and
        with the patient's images in the views."""
