"""A PET node's SUV: by its unit, else by its DICOM files, else refused with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydicom.dataset import Dataset
from slicer import vtkMRMLScalarVolumeNode

from ..core.errors import InputError, input_error
from ..core.volume import Volume
from ..io.dicom.body_measures import other_units
from ..io.dicom.reading import read_dataset
from ..io.dicom.suv import SuvFactors, suvbw_factors
from .to_volume import SUV, to_volume
from .volumes import array_of

OTHER_SUV = "{SUV"  # UCUM units by lean body mass, body surface, ideal body weight
HIGHEST_SUV = 200.0  # no tissue takes up more; Bq/mL of a clinical scan are thousands


def pet_volume(node: vtkMRMLScalarVolumeNode, key: str, files: Sequence[str]) -> Volume:
    """The node as SUVbw, of the modality `key`. files: paths of the DICOM that it was loaded from, as far as they are
    known. InputError where neither its unit nor its files tell how, or its values cannot be SUV."""
    entry = node.GetVoxelValueUnits()
    unit = entry.GetCodeValue() if entry else None
    if unit == SUV or (unit or "").startswith(OTHER_SUV):
        return to_volume(node, key)  # which refuses SUV by another body measure: its files' factor is not for it
    headers = [read_dataset(path, stop_before_pixels=True) for path in files]
    if headers:
        volume = to_volume(node, key, _factor(headers))
        units, assumed = other_units(headers[0])
        return replace(volume, meta={**volume.meta, **units, "notes": [*volume.meta["notes"], *assumed]})
    if unit is None:
        _check_could_be_suv(node)
    return to_volume(node, key)


def _factor(headers: Sequence[Dataset]) -> SuvFactors:
    """One for the whole node."""
    found = suvbw_factors(headers)
    if len(set(found.factors)) > 1:  # a node does not say which of its voxels came from which file
        given = "a PET volume that was not decay corrected, whose slices each have a factor of their own"
        raise input_error(given, "one factor for all slices", "open the folder of its DICOM files in this module")
    return found


def _check_could_be_suv(node: vtkMRMLScalarVolumeNode) -> None:
    try:
        highest = float(array_of(node).max())
    except InputError:
        return  # to_volume says what is wrong with it
    if highest > HIGHEST_SUV:
        raise input_error(
            f"a PET volume that does not say its unit, with values up to {highest:.0f}",
            "SUV by body weight",
            "load it through Slicer's DICOM module, or set its unit to {SUVbw}g/ml after converting it",
        )
