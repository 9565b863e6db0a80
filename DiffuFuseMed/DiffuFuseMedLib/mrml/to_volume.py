"""A user's volume node as a Volume in world coordinates; the node itself is left as it is."""

from __future__ import annotations

import itertools

import numpy as np
from slicer import vtkMRMLLabelMapVolumeNode, vtkMRMLScalarVolumeNode, vtkMRMLTransformNode, vtkMRMLVolumeNode
from vtkmodules.vtkCommonTransforms import vtkGeneralTransform

from ..core.checks import check_finite, check_modality, check_volume
from ..core.errors import input_error
from ..core.grid import Grid
from ..core.modalities import spec_of, units_of
from ..core.resampling import resample
from ..core.volume import Volume
from ..io.dicom.suv import SuvFactors
from .geometry import LPS_TO_RAS, grid_of_ras, linear_between, ras_matrix
from .nodes import tag
from .volumes import array_of, as_image, grid_of

MADE_UP_TAG = "made_up"  # of a volume node that shows what is not the patient's
SUV = "{SUVbw}g/ml"  # UCUM, as Slicer's PET DICOM extension writes it
ORTHOGONAL = 1e-4  # cosine between two axes below which they count as perpendicular


def to_volume(node: vtkMRMLVolumeNode, modality: str, suv: SuvFactors | None = None) -> Volume:
    """A float32 copy of the node's voxels on the Grid where a viewer shows them.

    A linear parent transform moves the Grid; a warp, and a transform that shears, resample a copy (linearly).
    suv: what turns a PET's voxels into SUVbw, where its DICOM files tell; the node's own unit is then not asked.
    Raises InputError for what is not one finite gray-value image of at least 2 x 2 x 2 voxels, for a label map, for
    what this program made up, and for values or units that the modality cannot have. Messages name the modality: a
    node's name may be a patient's.
    """
    name = f"the {modality} volume"
    check_modality(modality, "the volume")
    if isinstance(node, vtkMRMLLabelMapVolumeNode):
        raise input_error(f"a label map for {name}", "an image", "choose the image it was drawn on")
    if node is not None and tag(node, MADE_UP_TAG):
        raise input_error(f"a made up image for {name}", "one that was taken", "choose the patient's own")
    array = array_of(node)
    check_finite(array, name)  # before a resampling spreads what is not finite
    meta = {"name": modality, "units": units_of(modality), "notes": _notes(node, modality, suv)}
    values = array.astype(np.float32) * np.float32(suv.factor if suv else 1)
    volume = Volume(values, grid_of(node), modality, meta)
    volume = _rectified(_in_world(node, volume))
    check_volume(volume, name)
    return volume


def _notes(node: vtkMRMLVolumeNode, modality: str, suv: SuvFactors | None) -> list[str]:
    """What the report says of a PET's unit; InputError for a node that says another one than SUVbw."""
    if spec_of(modality).scale != "SUV":
        return []
    if suv is not None:
        return [f"SUVbw by {suv.method}", *suv.notes]
    entry = node.GetVoxelValueUnits() if isinstance(node, vtkMRMLScalarVolumeNode) else None
    unit = entry.GetCodeValue() if entry else None
    if not unit:
        return ["PET's node does not say its unit: its values are taken as SUVbw."]
    if unit != SUV:
        raise input_error(f"a PET volume in {unit}", "SUVbw (body-weight SUV)", "load the PET as SUV by body weight")
    return []


def _in_world(node: vtkMRMLVolumeNode, volume: Volume) -> Volume:
    """The volume with the node's parent transform applied to it."""
    parent = node.GetParentTransformNode()
    if parent is None:
        return volume
    linear = linear_between(node, None)
    if linear is None:
        return _warped(parent, volume)
    moved = grid_of_ras(linear @ LPS_TO_RAS @ volume.grid.affine_lps(), volume.grid.size, volume.name)
    return Volume(volume.array, moved, volume.modality, volume.meta)


def _warped(parent: vtkMRMLTransformNode, volume: Volume) -> Volume:
    """Resampled by MRML itself, in a node that is in no scene, so that no observer of the user's hears of it."""
    copy = vtkMRMLScalarVolumeNode()
    copy.SetAndObserveImageData(as_image(volume.array))
    copy.SetIJKToRASMatrix(ras_matrix(volume.grid))
    transform = vtkGeneralTransform()
    vtkMRMLTransformNode.GetTransformBetweenNodes(parent, None, transform)
    copy.ApplyTransform(transform)
    return Volume(array_of(copy).copy(), grid_of(copy), volume.modality, volume.meta)


def _rectified(volume: Volume) -> Volume:
    """The volume itself when its axes are perpendicular, else resampled on the nearest such Grid around it."""
    axes = np.reshape(volume.grid.direction, (3, 3))
    if np.abs(axes.T @ axes - np.eye(3)).max() < ORTHOGONAL:
        return volume
    spec = spec_of(volume.modality)
    return resample(volume, _upright(volume.grid), spec.interpolation, outside=spec.outside)


def _upright(grid: Grid) -> Grid:
    """The Grid with perpendicular axes nearest to the given ones (its polar factor), same spacing, around all of it."""
    left, _, right = np.linalg.svd(np.reshape(grid.direction, (3, 3)))
    axes = left @ right
    corners = grid.to_physical(np.array(list(itertools.product(*[(0, n - 1) for n in grid.size])))) @ axes
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = np.ceil((high - low) / grid.spacing_mm - 1e-6).astype(int) + 1
    return Grid(tuple(size.tolist()), grid.spacing_mm, tuple((axes @ low).tolist()), tuple(axes.ravel().tolist()))
