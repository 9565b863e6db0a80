"""What working a list off is worth: Dice after so many regions were put right, in several orders, and what was looked
at for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .regions import Worklist

RANDOM_ORDERS = 200


class Corrections:
    """The regions of a worklist, each of which a reader may put right; mask, reference: bool [k, j, i] on its grid."""

    def __init__(self, found: Worklist, mask: np.ndarray, reference: np.ndarray) -> None:
        self._found = found
        self.ids = [region.id for region in found.regions]
        self._both, self._size = int((mask & reference).sum()), int(mask.sum()) + int(reference.sum())
        regions = found.labels.ravel()
        most = max(self.ids, default=0) + 1
        counts = lambda where: np.bincount(regions[where.ravel()], minlength=most)  # noqa: E731
        self._voxels, self._lesion = np.bincount(regions, minlength=most), int(mask.sum())
        self._missing, self._too_much = counts(reference & ~mask), counts(mask & ~reference)
        self.wrong_voxels = int((mask != reference).sum())

    @property
    def listed_share(self) -> float:
        """Share of the wrong voxels that lie in any region; 1 where none is wrong."""
        listed = int(self._missing[1:].sum() + self._too_much[1:].sum())
        return listed / self.wrong_voxels if self.wrong_voxels else 1.0

    def dice(self, order: Sequence[int]) -> list[float]:
        """Dice before any region, and after each of these is put right in turn."""
        both, size = self._both, self._size
        found = [2 * both / size if size else 1.0]
        for region in order:
            both += int(self._missing[region])
            size += int(self._missing[region]) - int(self._too_much[region])
            found.append(2 * both / size if size else 1.0)
        return found

    def as_listed(self) -> list[float]:
        """dice() in the list's own order."""
        return self.dice(self.ids)

    def by_entropy(self) -> list[float]:
        """dice() with the region first whose mean entropy is highest."""
        return self.dice(self._found.ids_by_entropy)

    def by_slice(self) -> list[float]:
        """dice() from the feet upwards, as a reader scrolls."""
        return self.dice([r.id for r in sorted(self._found.regions, key=lambda r: r.center_lps[2])])

    def looked_at(self) -> list[float]:
        """Voxels of the first regions in the list's order, as a share of the lesion's, after each; nan without one."""
        voxels = np.cumsum([0, *(int(self._voxels[region]) for region in self.ids)])
        return [float(n) / self._lesion if self._lesion else float("nan") for n in voxels]

    def at_random(self, seed: int = 0) -> list[float]:
        """The mean of dice() over random orders."""
        rng = np.random.default_rng(seed)
        return np.mean([self.dice(rng.permutation(self.ids).tolist()) for _ in range(RANDOM_ORDERS)], axis=0).tolist()

    def at_best(self) -> list[float]:
        """dice() with the region first that gains most, then the next."""
        left, order = list(self.ids), list[int]()
        while left:
            gains = [self.dice([*order, region])[-1] for region in left]
            order.append(left.pop(int(np.argmax(gains))))
        return self.dice(order)
