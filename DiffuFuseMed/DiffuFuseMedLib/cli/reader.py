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
WAYS = {"choosing": "one outline a region", "choosing_parts": "one outline, then its parts", "painting": "painting"}
PAINTING = "painting"
DECISIONS = 10  # so many in the list's order are held against each other, whatever regions they are of
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
    looked_at = reader.looked_at(order)
    for way in WAYS:
        scores: dict[str, float] = {}
        steps = list(getattr(reader, way)(order[: COUNTS[-1]]))
        for count in COUNTS:
            if count < len(steps):
                scores = score(steps[count].lesion)
            done = steps[1 : count + 1]
            told: dict[str, list[Any]] = {"how": [], "offered": [], "dices": []}
            for step in done:
                told["how"] += step.how
                told["offered"] += step.offered
                told["dices"] += step.dice
            looked = looked_at[min(count, len(looked_at) - 1)]
            yield {
                "way": way,
                "regions": count,
                "looked_at": looked,
                **scores,
                "worked_off": len(done),
                "before": steps[0].dice[0],
                **told,
            }


def as_told(row: Row) -> Row:
    """A row for a table of numbers and words."""
    told = {key: value for key, value in row.items() if key not in ("dices", "before")}
    return {**told, "how": "; ".join(row["how"]), "decisions": len(row["how"]), "offered": sum(row["offered"])}


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
    """Means over the cases; decisions: that were shown, and of these the share that took an outline; share won: of
    painting's gain."""
    columns = [cell for title, _ in METRICS.values() for cell in (title, "share won")]
    table = Table("order", "regions", "looked at, in lesions", "way", "decisions", "taken", *columns, title=title)
    for order in dict.fromkeys(row["order"] for row in rows):
        for count in COUNTS:
            for way, name in WAYS.items() if count else [(PAINTING, "")]:
                table.add_row(order, str(count), *_cells(rows, order, count, way, name))
    return table


def _cells(rows: Sequence[Row], order: str, count: int, way: str, name: str) -> list[str]:
    """What this way reaches, what for, and how much of painting's gain that is."""

    def mean(key: str, way: str, after: int) -> float:
        by_case: dict[str, list[float]] = {}
        for row in rows:
            if (row["order"], row["way"], row["regions"]) == (order, way, after):
                by_case.setdefault(row["case"], []).append(_number(row, key))
        return fmean(fmean(values) for values in by_case.values())

    found = [f"{mean('looked_at', way, count):.2f}", name]
    chosen = way != PAINTING
    found += [f"{mean(key, way, count):.1f}" if chosen else "" for key in ("decisions", "taken")]
    for key, (_, digits) in METRICS.items():
        before, reached, painted = mean(key, way, 0), mean(key, way, count), mean(key, PAINTING, count)
        told = chosen and abs(painted - before) >= 10**-digits  # a share of what is not shown would say nothing
        share = f"{100 * (reached - before) / (painted - before):.0f} %" if told else ""
        found += [f"{reached:.{digits}f}", share]
    return found


def _number(row: Row, key: str) -> float:
    if key == "decisions":
        return float(len(row["how"]))
    return float(_taken(row["how"]) if key == "taken" else row[key])


def _taken(how: Sequence[str]) -> int:
    from ..review.reader import KEPT

    return sum(what != KEPT for what in how)


def reader_words(rows: Sequence[Row]) -> list[str]:
    """Sentences on what was offered and taken in the list's own order, and what as many decisions reach."""
    last = [row for row in rows if (row["order"], row["regions"]) == ("as listed", COUNTS[-1])]
    regions = sum(row["worked_off"] for row in last if row["way"] == PAINTING)
    if not regions:
        return ["No region was worked off: no worklist had any."]
    words = [f"Of the {regions} regions that were worked off in the list's order:"]
    chosen = {way: [row for row in last if row["way"] == way] for way in WAYS if way != PAINTING}
    for way, its in chosen.items():
        offered = [count for row in its for count in row["offered"]]
        taken = Counter(how for row in its for how in row["how"]).most_common()
        whose = ", ".join(f"{how}: {count}" for how, count in taken)
        each = (
            f"{len(offered) / regions:.1f} decisions a region, {sum(_taken(r['how']) for r in its) / regions:.1f} taken"
        )
        shown = f"{fmean(offered):.1f} outlines on average" if offered else "nothing offered"
        words.append(f"{WAYS[way]}: {each}; {shown}. Taken: {whose}.")
    reached = ", ".join(f"{_after(its):.3f} with {WAYS[way]}" for way, its in chosen.items())
    return [
        *words,
        f"Dice after the first {DECISIONS} decisions, of fewer regions where each takes several: {reached}.",
    ]


def _after(rows: Sequence[Row]) -> float:
    """Mean Dice after DECISIONS decisions, or the last where there were fewer."""
    return fmean([row["before"], *row["dices"]][: DECISIONS + 1][-1] for row in rows)
