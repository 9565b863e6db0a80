"""DiffuFuseMed's Table 8: ours against every other method on the same patients."""

from __future__ import annotations

from ..metrics.significance import Comparison, compare, holm, least_p
from .papers import diffufusemed as paper
from .parts import Table
from .results import Results
from .tables import seen

METRICS = {"dice": "Dice", "iou": "IoU"}
PAPER_P = "< 0.001"
FEWEST = 2  # patients that both have


def table_8(results: Results) -> Table:
    """Mean difference in points, its interval, p and Holm's p of all comparisons together; the trivial rows too."""
    found = comparisons(results)
    adjusted = holm([one.p for one in found.values()])
    rows = []
    for ((method, metric), one), p in zip(found.items(), adjusted, strict=True):
        words = f"{100 * one.difference:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]"
        row = paper.row_of(method, results.systems.get(method, ""))
        printed = paper.TABLE_8.get((row, metric), "")
        told = (f"{results.ours} less {method}", METRICS[metric], words, printed, f"{one.p:.3g}", f"{p:.3g}")
        rows.append((*told, PAPER_P if printed else "", str(one.pairs)))
    for (row, metric), printed in paper.TABLE_8.items():
        rows.append((f"{paper.OURS} less {row}", METRICS[metric], "", printed, "", "", PAPER_P, ""))
    columns = ("compared", "metric", "difference, points", "paper", "p", "p, Holm", "paper", "patients")
    return Table("Table 8: significance", columns, tuple(rows), _notes(results, found), (3, 6))


def comparisons(results: Results) -> dict[tuple[str, str], Comparison]:
    """By method and metric; only where both have at least two patients in common."""
    found = {}
    for method in [m for m in results.methods if m != results.ours]:
        for metric in METRICS:
            ours, theirs = results.paired(results.ours, method, metric)
            if len(ours) >= FEWEST:
                found[method, metric] = compare(ours, theirs)
    return found


def told_test(count: int) -> str:
    """Which test it is, in a sentence."""
    return f"Wilcoxon's signed-rank test, two-sided; Holm's correction over {count} comparisons."


def _notes(results: Results, found: dict[tuple[str, str], Comparison]) -> tuple[str, ...]:
    test = told_test(len(found))
    if not found:
        return ("Fewer than two patients were scored by two methods: nothing can be compared.",)
    pairs = max(one.pairs for one in found.values())
    few = f"With {pairs} patients the smallest p that this test can give is {least_p(pairs):.3g}"
    enough = ": no difference can be called significant at 0.05." if least_p(pairs) > 0.05 else "."
    compared = {results.ours, *(method for method, _ in found)}
    return (test, few + enough, *seen(results, compared))
