"""`diffufusemed run --export`: the lesion in the formats of other programs, beside its .seg.nrrd."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import InputError, input_error
from ..core.result_names import LESION
from .console import err_console

if TYPE_CHECKING:
    from ..core.case import Case
    from ..core.prediction import Prediction
    from ..io.dicom.source_series import SourceSeries

ExportOption = Annotated[
    str | None, typer.Option(help=f"The lesion also as some of {', '.join(LESION)}, such as dicom-seg,rtstruct.")
]
SeriesOption = Annotated[
    Path | None,
    typer.Option(help="The folder of the DICOM series that dicom-seg and rtstruct refer to, for a case without DICOM."),
]


def export_kinds(export: str | None) -> list[str]:
    """dicom-seg,rtstruct -> its parts; raises InputError for one that is none."""
    wanted = [kind.strip() for kind in (export or "").split(",") if kind.strip()]
    if unknown := [kind for kind in wanted if kind not in LESION]:
        raise input_error(f"the export {unknown[0]!r}", f"one of {', '.join(LESION)}", "correct --export")
    return wanted


def series_for(kinds: list[str], case: Case, folder: Path | None) -> SourceSeries | None:
    """What DICOM kinds are written beside, None for others: the folder's series, else the one that the case was read
    from. Raises InputError where there is none, and for a synthetic tumor, before minutes of computing."""
    if not set(kinds) - {"nifti"}:
        return None
    from ..core.synthetic import check_no_dicom
    from ..io.dicom.source_series import SourceSeries, files_of, find_series

    check_no_dicom(case)
    if folder is not None:
        return find_series(folder, case.grid)
    try:
        return SourceSeries.read(files_of(case))
    except InputError as error:
        raise InputError(f"{error} The command line takes the series' folder with --dicom-series too.") from error


def write_exports(
    kinds: list[str], prediction: Prediction, series: SourceSeries | None, resample: bool, folder: Path
) -> None:
    """Write the lesion into `folder`. resample: onto the series' voxels by the nearest, where they are others. What
    this lesion cannot be written as is left out with one line; raises OSError when the disk refuses."""
    for kind in kinds:
        try:
            _write(kind, prediction, series, resample, folder / LESION[kind])
        except InputError as error:
            err_console.print(f"No {kind}: {error}", markup=False, soft_wrap=True)


def _write(kind: str, prediction: Prediction, series: SourceSeries | None, resample: bool, path: Path) -> None:
    from ..io.dicom.drawn_by import DrawnBy
    from ..io.dicom.rtstruct_writer import write_rtstruct
    from ..io.dicom.seg_writer import write_dicom_seg
    from ..io.export.nifti import write_nifti_mask

    lesion, grid = prediction.labels == 1, prediction.grid
    if series is None or kind == "nifti":
        write_nifti_mask(lesion, grid, path)
        return
    write = {"dicom-seg": write_dicom_seg, "rtstruct": write_rtstruct}[kind]
    write(series.mask(lesion, grid, exact=not resample), series, path, DrawnBy.of(prediction.provenance))
