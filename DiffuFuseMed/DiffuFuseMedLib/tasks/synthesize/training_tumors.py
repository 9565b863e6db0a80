"""Training cases that no patient is: a patient without the lesion, with a synthetic one (Diff4MMLiTS, III.C)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ...core.case import Case
from ...core.errors import InputError, input_error
from ...core.grid import Grid
from ...core.resampling import onto
from ...models.zoo import Model
from ...networks.inputs import network_grid
from ...training.dataset import TrainingCase, training_case
from ...training.synthetic import TUMORS, Synthetic
from .contract import Inpaints, check_inpaints
from .realism import paste
from .removal_mask import removal_mask_in
from .remove import removed_by
from .synthesize import SynthesisSettings, Synthesizer
from .trivial import FILLINGS, PlainInpainter

TRIES = 20  # patients that are asked for room, one after the other

Removes = Callable[[Case], Case]


class TrainingTumors:
    """Case number n of an endless row: patient, place, outline, appearance and noise follow from n and the seed.

    patients: with a drawn lesion each, of whose images nothing but the healthy part is used, and with tumors="pasted"
    their lesions, as another patient's; spacing_kji_mm: of the voxels that training sees.
    """

    def __init__(
        self,
        patients: Sequence[Case],
        settings: Synthetic,
        synthesizer: Model,
        remove: Removes,
        spacing_kji_mm: tuple[float, float, float],
        modalities: tuple[str, ...],
        seed: int,
    ) -> None:
        self._patients = [on_grid(case, network_grid(case.grid, spacing_kji_mm)) for case in patients]
        self._settings, self._synthesizer, self._remove = settings, synthesizer, remove
        self._spacing, self._modalities, self._seed = spacing_kji_mm, modalities, seed
        self._ready: dict[int, Synthesizer] = {}

    def __call__(self, number: int) -> TrainingCase:
        """Raises InputError where no patient that was asked has room for a tumor."""
        rng = np.random.default_rng([self._seed, number])
        for _ in range(TRIES):
            patient, seed = int(rng.integers(len(self._patients))), int(rng.integers(2**31))
            donor = self._patients[int(rng.integers(len(self._patients)))]
            try:
                made = self._made(self._without_lesion(patient), donor, seed)
            except InputError:  # no room, or no soft tissue that every modality shows
                continue
            if made is not None:
                named = replace(made, name=f"synthetic {number}")
                return training_case(named, self._modalities, self._spacing)
        given = f"{len(self._patients)} training patients without room for a synthetic tumor"
        raise input_error(given, "soft tissue to put one in", "train without synthetic cases")

    def _without_lesion(self, patient: int) -> Synthesizer:
        if patient not in self._ready:
            self._ready[patient] = Synthesizer(self._remove(self._patients[patient]), self._synthesizer)
        return self._ready[patient]

    def _made(self, ready: Synthesizer, donor: Case, seed: int) -> Case | None:
        """The healthy case with a tumor, which is its drawn lesion; None where a pasted one falls on nothing."""
        at = ready.place(seed)
        if self._settings.tumors == TUMORS[0]:
            return ready.tumor(SynthesisSettings(seed), at=at).of(ready.case)
        pasted = paste(ready.case, donor, at, ready.room.soft)
        if pasted is None:
            return None
        case, mask = pasted
        drawn = donor.reference_mask
        assert drawn is not None, "removed from every patient"
        return replace(case, reference_mask=replace(drawn, array=mask.astype(np.uint8), grid=case.grid))


def remover_of(name: str, inpainter: Model) -> Removes:
    """What takes the drawn lesion out, by its name in Synthetic: the inpainter, or what fills holes on the same pixels
    without having learned anything. Raises InputError for a model that fills no holes."""
    check_inpaints(inpainter.network, inpainter.record.system)
    network: Inpaints = inpainter.network
    if name in FILLINGS:
        network = PlainInpainter(inpainter.network.config, FILLINGS[name])

    def remove(case: Case) -> Case:
        assert case.reference_mask is not None, "training patients have a drawn lesion"
        mask = removal_mask_in(case, case.reference_mask.array > 0)
        return removed_by(network, case, mask, inpainter.device).of(case) if mask.any() else case.unscored()

    return remove


def on_grid(case: Case, grid: Grid) -> Case:
    """The case on another grid over the same box; what was drawn by nearest neighbour."""
    moved = {m: onto(volume, grid, valid=case.valid[m]) for m, volume in case.volumes.items()}
    drawn = case.reference_mask
    return Case(
        case.name,
        grid,
        case.reference,
        {m: volume for m, (volume, _) in moved.items()},
        {m: valid for m, (_, valid) in moved.items()},
        reference_mask=None if drawn is None else onto(drawn, grid)[0],
    )
