"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..core.suv_units import SUV_UNITS
from ..models import registry

DEFAULT_MODEL = registry.DEFAULT_MODEL
ModelOption = Annotated[str, typer.Option("--model", help="A model's id, or the path of its folder.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
SamplesOption = Annotated[int, typer.Option(min=1, max=64, help="Samples of the lesion; more is smoother and slower.")]
SEED = (0, 2**31 - 1)
SeedOption = Annotated[int, typer.Option(min=SEED[0], max=SEED[1], help="The same seed gives the same result.")]
SplitOption = Annotated[Path | None, typer.Option(help="split.json; beside the cases by default.")]
FoldOption = Annotated[int | None, typer.Option(help="Only the cases of this fold.")]
CrossFittedOption = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,...",
        help="Networks of the model's recipe, each trained without another fold: a patient is asked of one that never "
        "saw it.",
    ),
]
CaseArgument = Annotated[Path, typer.Argument(help="A folder of volumes (CT.nii.gz, PET.nrrd, ...) or DICOM.")]
CohortOption = Annotated[
    bool, typer.Option("--cohort", help="CASE is a folder of case folders; a case's results go to OUT/NAME.")
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="A cohort by many: the HOST:PORT of a Ray cluster, or local, which starts one here."
    ),
]
CoresOption = Annotated[
    int, typer.Option(min=1, help="With --cluster: cores of a node without GPU that work on one case together.")
]
OutOption = Annotated[Path, typer.Option(help="Folder for the results; made when it is not there.")]
ModalitiesOption = Annotated[str | None, typer.Option(help="Only these, such as CT,PET,MR_T1.")]
ToldOption = Annotated[
    list[str] | None,
    typer.Option("--is", help="What a file or series is, such as scan3.nii.gz=MR_T1; scan3.nii.gz=none is not read."),
]
ReferenceOption = Annotated[str | None, typer.Option(help="The modality whose grid the results lie on.")]
RegisterOption = Annotated[
    str, typer.Option(help="Rigid registration: auto, always or never; or of these images, such as MR_T1 or PET,MR_T1.")
]
BiasOption = Annotated[bool, typer.Option("--n4", help="Correct the bias field of MR first.")]
PresetOption = Annotated[
    str | None, typer.Option(help="A preset's name or .json file; a wrong name lists them. Sliders given override it.")
]
SuvOption = Annotated[str, typer.Option(help=f"What PET numbers are in: {', '.join(SUV_UNITS)}.")]
MrOption = Annotated[
    str | None, typer.Option(help="The MR to fuse, such as MR_T2; the first that is there by default.")
]
