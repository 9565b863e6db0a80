"""One picture of the ROIs of several cases: three planes each, on CT and on the first MR, contours by color.

    python scripts/roi_sheet.py OUT.webp CASE_FOLDER [CASE_FOLDER ...] [--thresholds scoring]

Contours: inside blue, bone orange, soft green, lesion red (the drawn lesion, where the folder has one).
"""

import argparse
from io import BytesIO
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.preprocessing.rois import MODEL, SCORING, automatic_rois
from PIL import Image

COLORS = {"inside": "deepskyblue", "soft": "lime", "bone": "orange", "lesion": "red"}
CT_WINDOW_HU = (-200, 500)
INCH = 1.35


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("cases", type=Path, nargs="+")
    parser.add_argument("--thresholds", choices=("model", "scoring"), default="model")
    arguments = parser.parse_args()
    thresholds = {"model": MODEL, "scoring": SCORING}[arguments.thresholds]
    rows = len(arguments.cases)
    figure, axes = plt.subplots(rows, 6, figsize=(6 * INCH, rows * INCH), squeeze=False, facecolor="black")
    for row, folder in zip(axes, arguments.cases, strict=True):
        draw_case(row, folder, thresholds)
    figure.subplots_adjust(0, 0, 1, 1, 0.01, 0.01)
    save(figure, arguments.out)


def draw_case(row: np.ndarray, folder: Path, thresholds) -> None:
    """Axial, coronal and sagittal planes, CT and MR side by side, each through the middle of the soft ROI's bone."""
    case = load_case(folder, register="never")
    lesion = None if case.reference_mask is None else case.reference_mask.array
    rois = automatic_rois(case, lesion, thresholds)
    mr = next((m for m in case.modalities if m.startswith("MR")), "CT")
    spacing_mm = case.grid.spacing_kji_mm
    for axis in range(3):
        index = case.grid.shape[0] // 2 if axis == 0 else widest(rois.bone, axis)
        for axes, modality in ((row[2 * axis], "CT"), (row[2 * axis + 1], mr)):
            draw_plane(axes, case.volumes[modality].array, window(case, modality), rois, axis, index, spacing_mm)
    row[0].text(0.02, 0.98, case.name, color="white", fontsize=6, va="top", transform=row[0].transAxes)


def draw_plane(axes, array, limits, rois, axis: int, index: int, spacing_mm) -> None:
    rows_mm, columns_mm = (s for a, s in enumerate(spacing_mm) if a != axis)
    picture = np.take(array, index, axis)
    axes.axis("off")
    origin = "upper" if axis == 0 else "lower"  # k runs to the head
    axes.imshow(picture, cmap="gray", vmin=limits[0], vmax=limits[1], aspect=rows_mm / columns_mm, origin=origin)
    for name, color in COLORS.items():
        mask = np.take(getattr(rois, name), index, axis)
        if mask.any() and not mask.all():
            axes.contour(mask, [0.5], colors=color, linewidths=0.6)


def window(case, modality: str) -> tuple[float, float]:
    if modality == "CT":
        return CT_WINDOW_HU
    return 0.0, float(np.percentile(case.volumes[modality].array[case.valid[modality]], 99))


def widest(mask: np.ndarray, axis: int) -> int:
    """The index along axis where the mask is largest; the middle for an empty mask."""
    area = mask.sum(axis=tuple(a for a in range(3) if a != axis))
    return int(area.argmax()) if area.any() else mask.shape[axis] // 2


def save(figure, out: Path) -> None:
    drawn = BytesIO()
    figure.savefig(drawn, dpi=125, facecolor="black")
    Image.open(drawn).convert("RGB").save(out, "WEBP", quality=80, method=6)


if __name__ == "__main__":
    main()
