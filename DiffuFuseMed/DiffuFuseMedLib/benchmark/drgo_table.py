"""What DRGO (MedFusion-TransNet, 3.4) adds to each network that was trained with and without it."""

from __future__ import annotations

from ..metrics.significance import compare, holm
from .parts import Missing, Table
from .results import Results, text_of
from .significance_table import FEWEST, told_test
from .tables import about
from .variants import id_of

METRICS = {"dice": ("Dice, %", 100.0, 1), "hd95_mm": ("HD95, mm", 1.0, 1), "nsd_2mm": ("NSD at 2 mm", 1.0, 3)}
# Without and with. MedFusion-TransNet is trained with it by its own recipe.
PAIRS = {
    "sts-segresnet": "sts-segresnet+drgo",
    "sts-multi-encoder": "sts-multi-encoder+drgo",
    "sts-medfusion-transnet-no-drgo": "sts-medfusion-transnet",
}
TITLE = "What DRGO adds"
NO_FIGURE = (
    "The paper takes one part of DRGO out of its own network (its Tables 3 and 4, w/o BR), on other data, and prints "
    "no figure of DRGO in another network."
)


def drgo_table(results: Results) -> Table | Missing:
    """A line for each network and measure: without, with, the difference patient by patient, and its p."""
    found = {}
    for without, guided in ((a, id_of(b)) for a, b in PAIRS.items()):
        for metric in METRICS:
            one, other = results.paired(without, guided, metric)
            if len(one) >= FEWEST:
                found[without, metric] = (one, other, compare(other, one))
    if not found:
        why = "No network was scored with and without DRGO on two patients or more."
        return Missing(TITLE, f"{why} {NO_FIGURE}")
    adjusted = holm([x.p for *_, x in found.values()])
    rows = []
    for ((method, metric), (one, other, x)), p in zip(found.items(), adjusted, strict=True):
        title, scale, digits = METRICS[metric]
        words = f"{scale * x.difference:+.{digits}f} [{scale * x.low:.{digits}f}, {scale * x.high:.{digits}f}]"
        values = (text_of([scale * v for v in column], digits) for column in (one, other))
        rows.append((method, title, *values, words, f"{x.p:.3g}", f"{p:.3g}"))
    shown = {name for method, _ in found for name in (method, id_of(PAIRS[method]))}
    columns = ("network", "measure", "without DRGO", "with DRGO", "difference", "p", "p, Holm")
    notes = (told_test(len(found)), NO_FIGURE, *about(results, shown)[:-1])
    return Table(TITLE, columns, tuple(rows), notes)
