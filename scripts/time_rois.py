"""Seconds that the ROIs of a case take, exactly and from some of its voxels, and how far the two agree.

    python scripts/time_rois.py CASE_FOLDER [--large]

--large: the case tiled to 512 x 512 x 300, as `python -m benchmarks web --large` does.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.preprocessing.rois import automatic_rois, quick_rois

from benchmarks.web.large import write_large


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", type=Path)
    parser.add_argument("--large", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="diffufusemed-rois-") as temporary:
        folder = Path(temporary) / "large" if arguments.large else arguments.case
        if arguments.large:
            write_large(arguments.case, folder)
        case = load_case(folder, register="never")
    (exact, exact_s), (quick, quick_s) = (timed(find, case) for find in (automatic_rois, quick_rois))
    agree = {name: f"{dice(getattr(exact, name), getattr(quick, name)):.3f}" for name in ("soft", "bone", "inside")}
    size, how = " x ".join(map(str, case.grid.size)), quick.source["bone"].split(", ")[-1]
    sys.stdout.write(f"{size}: exactly {exact_s:.1f} s, {how} {quick_s:.1f} s; Dice of the two: {agree}\n")


def timed(find, case):
    began = time.monotonic()
    return find(case), time.monotonic() - began


def dice(a, b) -> float:
    return float(2 * (a & b).sum() / max(1, a.sum() + b.sum()))


if __name__ == "__main__":
    main()
