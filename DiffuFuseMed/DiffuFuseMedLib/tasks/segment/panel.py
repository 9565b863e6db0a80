"""A panel's part of predict(): each member draws its share of the samples, and all lie on the first one's grid."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

import numpy as np

from ...core.case import Case
from ...core.errors import input_error
from ...models.panel import deciding_members
from ...models.zoo import Model
from .contract import options_of
from .drawn import Drawn
from .sampling import onto_case
from .settings import Kept, Settings, V

NOT_ASKED = "{} of the panel was not asked, since it knows none of the case's modalities."
TOLD = ("model", "sha256", "system", "samples", "window", "device", "modalities")


class OfMember:
    """A host's store as one member sees it: what two networks make of the same window is kept apart."""

    def __init__(self, keep: Kept, member: str) -> None:
        self._keep, self._member = keep, member

    def __call__(self, key: Hashable, make: Callable[[], V]) -> V:
        return self._keep((self._member, key), make)

    def clear(self) -> None:
        self._keep.clear()


def draw_panel(
    case: Case, panel: Model, settings: Settings, keep: Kept, draw: Callable[[Case, Model, Settings, Kept], Drawn]
) -> Drawn:
    """draw(): of one member. The first of the members that know one of the case's modalities, as many as the panel's
    settings say, decide on the lesion.

    Raises InputError for an option that no member has, and for a case without a modality that one of them knows.
    """
    _check_options(panel, settings)
    able = [m for m in panel.members if any(key in case.volumes for key in m.modalities)] or list(panel.members[:1])
    whole = max(settings.samples, len(able))  # without a sample of each there is no doubt of a panel
    found, done = list[Drawn](), 0
    for n, member in enumerate(able):
        share = len(range(n, whole, len(able)))  # as even as it goes, the first ones have one more
        told = _for_member(settings, member, share, done, whole)
        found.append(draw(case, member, told, OfMember(keep, member.record.id)))
        done += share
    notes = [NOT_ASKED.format(m.record.id) for m in panel.members if m not in able]
    if whole > settings.samples:
        notes.append(f"{whole} samples were drawn instead of {settings.samples}: one by each network of the panel.")
    return _joined(panel, settings, found, notes)


def _check_options(panel: Model, settings: Settings) -> None:
    known = {name for member in panel.members for name in options_of(member.network)}
    if strange := [name for name in settings.options if name not in known]:
        has = f"an option that one of its members has ({', '.join(sorted(known)) or 'they have none'})"
        raise input_error(f"the option {strange[0][:40]!r} for the panel {panel.record.id}", has, "leave it out")


def _for_member(settings: Settings, member: Model, share: int, done: int, whole: int) -> Settings:
    """So many samples, the options that it has, and a progress that goes on where the one before ended."""
    own = options_of(member.network)
    options = {name: value for name, value in settings.options.items() if name in own}
    tell = settings.progress

    def progress(part: float, words: str) -> None:
        assert tell is not None, "asked only where somebody listens"
        tell((done + part * share) / whole, f"{member.record.id}: {words}")

    return replace(settings, samples=share, options=options, progress=progress if tell else None)


def _joined(panel: Model, settings: Settings, found: list[Drawn], notes: list[str]) -> Drawn:
    first = found[0]
    samples = [_on_grid_of(first, drawn) for drawn in found]
    members = [{name: drawn.provenance[name] for name in TOLD} for drawn in found]
    provenance: dict[str, Any] = {
        **first.provenance,
        "model": panel.record.id,
        "sha256": panel.record.sha256,
        "system": panel.record.system,
        "config": panel.record.config,
        "samples": settings.samples,
        "modalities": list(dict.fromkeys(m for drawn in found for m in drawn.provenance["modalities"])),
        "members": members,
        "notes": [f"{d.provenance['model']}: {note}" for d in found for note in d.provenance["notes"]] + notes,
    }
    return replace(
        first,
        samples=np.concatenate(samples),
        provenance=provenance,
        deciding=sum(len(drawn.samples) for drawn in found[: deciding_members(panel.record)]),
    )


def _on_grid_of(first: Drawn, drawn: Drawn) -> np.ndarray:
    if drawn.grid == first.grid:
        return drawn.samples
    return np.stack([onto_case(sample, drawn.grid, first.grid) for sample in drawn.samples])
