"""`diffufusemed diagnose --reader`: what choosing among outlines is worth to a reader, beside painting perfectly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    import numpy as np

    from ..core.case import Case
    from ..core.voxels import Voxels
    from ..models.zoo import Model
    from ..tasks.segment.settings import Settings

COUNTS = (0, 1, 3, 5, 10)  # regions after which the lesion is scored
METRICS = {"dice": ("Dice", 3), "nsd_2mm": ("NSD at 2 mm", 3), "hd95_mm": ("HD95, mm", 1)}
WAYS = ("choosing", "painting")
Row = dict[str, Any]


def read_cases(cases: Sequence[Case], model: Model, settings: Settings, tell: Callable[[str], None]) -> list[Row]:
    """A row for each case, order, way and number of regions, with METRICS; each case has a drawn lesion. settings: of
    the runs; its seed also draws the random orders. tell: is told the case."""
    from ..review.ranking import worklist
    from ..review.reader import SimulatedReader
    from ..tasks.segment.calibrate import drawn_by_hand
    from ..tasks.segment.predict import predict

    rows: list[Row] = []
    for case in cases:
        tell(case.name)
        prediction, reference = predict(case, model, settings), drawn_by_hand(case)
        without = lesions_without(case, model, settings, prediction.modalities)
        reader = SimulatedReader(worklist(prediction), prediction, without, reference)
        score = _scorer(reference, case)
        for name, orders in reader.orders(settings.seed).items():
            for order in orders:
                told = {"case": case.name, "order": name}
                rows += [{**told, **row} for row in _worked_off(reader, order, score)]
    return rows


def lesions_without(case: Case, model: Model, settings: Settings, modalities: Sequence[str]) -> dict[str, Voxels]:
    """By modality, the lesion with that one left out, as a session finds it behind the reader's back."""
    from dataclasses import replace

    from ..core.voxels import Voxels
    from ..review.reasons import SAMPLES_WITHOUT
    from ..tasks.segment.predict import predict

    quick = replace(settings, samples=min(SAMPLES_WITHOUT, settings.samples))
    left = {key: [other for other in modalities if other != key] for key in modalities if len(modalities) > 1}
    return {key: Voxels.of(predict(case.only(others), model, quick).labels == 1) for key, others in left.items()}


def _worked_off(reader: Any, order: Sequence[int], score: Callable[[np.ndarray], dict[str, float]]) -> Iterator[Row]:
    """After a list has come to its end the lesion stays as it is."""
    for way in WAYS:
        scores: dict[str, float] = {}
        steps = list(getattr(reader, way)(order[: COUNTS[-1]]))
        for count in COUNTS:
            if count < len(steps):
                scores = score(steps[count].lesion)
            done = steps[1 : count + 1]
            how = [step.how for step in done]
            yield {"way": way, "regions": count, **scores, "how": how, "offered": [step.offered for step in done]}


def _scorer(reference: np.ndarray, case: Case) -> Callable[[np.ndarray], dict[str, float]]:
    """METRICS of a lesion; each one is scored once, for distances take their time."""
    from ..core.voxels import Voxels
    from ..metrics.overlap import overlap_scores

    known: dict[Voxels, dict[str, float]] = {}

    def score(lesion: np.ndarray) -> dict[str, float]:
        key = Voxels.of(lesion)
        if key not in known:
            found = overlap_scores(lesion, reference, case.grid.spacing_kji_mm)
            known[key] = {name: found[name] for name in METRICS}
        return known[key]

    return score


def reader_table(rows: Sequence[Row], title: str) -> Table:
    """Means over the cases, and the share of painting's gain that choosing won."""
    columns = [f"{title}, {way}" for title, _ in METRICS.values() for way in (*WAYS, "share won")]
    table = Table("order", "regions", *columns, title=title)
    for order in dict.fromkeys(row["order"] for row in rows):
        for count in COUNTS:
            cells = [cell for name in METRICS for cell in _cells(rows, order, count, name)]
            table.add_row(order, str(count), *cells)
    return table


def _cells(rows: Sequence[Row], order: str, count: int, name: str) -> list[str]:
    """What choosing and painting reach, and how much of the one's gain is the other's."""

    def mean(way: str, after: int) -> float:
        by_case: dict[str, list[float]] = {}
        for row in rows:
            if (row["order"], row["way"], row["regions"]) == (order, way, after):
                by_case.setdefault(row["case"], []).append(row[name])
        return fmean(fmean(values) for values in by_case.values())

    before, digits = mean(WAYS[0], 0), METRICS[name][1]
    chosen, painted = (mean(way, count) for way in WAYS)
    gain = painted - before
    told = count and abs(gain) >= 10**-digits  # a share of what the table does not show would say nothing
    share = f"{100 * (chosen - before) / gain:.0f} %" if told else ""
    return [f"{chosen:.{digits}f}", f"{painted:.{digits}f}", share]


def reader_words(rows: Sequence[Row]) -> list[str]:
    """Sentences on what was offered and taken in the list's own order."""
    last = [row for row in rows if (row["order"], row["way"], row["regions"]) == ("as listed", WAYS[0], COUNTS[-1])]
    offered = [count for row in last for count in row["offered"]]
    if not offered:
        return ["No region was worked off: no worklist had any."]
    taken = Counter(how for row in last for how in row["how"]).most_common()
    whose = ", ".join(f"{how}: {count}" for how, count in taken)
    return [
        f"Offered at the {len(offered)} regions that were worked off in the list's order: {fmean(offered):.1f} outlines"
        f" on average, fewer than two at {sum(count < 2 for count in offered)}.",
        f"Taken there: {whose}.",
    ]
