"""The table of scripts/ablations.sh as Markdown: the mean over the seeds, and in brackets what each seed gave.

Usage: python scripts/ablation_table.py OUT, where OUT holds seed-0.csv, seed-1.csv and the models.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

COLUMNS = {"dice": 3, "hd95_mm": 1, "nsd_2mm": 3, "ece": 3, "brier": 3}


def means(table: Path) -> dict[str, dict[str, float]]:
    """By method the means over cases that `diffufusemed evaluate` wrote."""
    with table.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["case"] == "mean"]
    return {row["method"]: {key: float(row[key]) for key in COLUMNS if row.get(key)} for row in rows}


def cell(values: list[float], digits: int) -> str:
    each = ", ".join(f"{value:.{digits}f}" for value in values)
    return f"{mean(values):.{digits}f} ({each})" if values else ""


def steps(folder: Path, method: str) -> str:
    """How many steps each seed's training came to in its minutes."""
    records = [seed / method / "model.json" for seed in sorted(folder.glob("seed-*/"))]
    done = [json.loads(r.read_text(encoding="utf-8"))["training"]["steps_done"] for r in records if r.is_file()]
    return ", ".join(map(str, done))


def lines(folder: Path) -> Iterator[str]:
    """Of the table, in Markdown."""
    tables = [means(path) for path in sorted(folder.glob("seed-*.csv"))]
    yield f"| method | steps | {' | '.join(COLUMNS)} |"
    yield "|---" * (2 + len(COLUMNS)) + "|"
    for method in tables[0]:
        found = [table[method] for table in tables if method in table]
        cells = [cell([row[key] for row in found if key in row], digits) for key, digits in COLUMNS.items()]
        yield f"| {method} | {steps(folder, method)} | {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines(Path(sys.argv[1]))) + "\n")
