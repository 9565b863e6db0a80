"""What a run writes: segmentation, fused image, maps and one record of numbers, each with its provenance."""

from ..seg_nrrd import LESION, Segment, contour_segments, write_segmentation, write_segments
from .fusion import fusion_record, write_fusion
from .outputs import write_outputs
from .record import record

__all__ = [
    "LESION",
    "Segment",
    "contour_segments",
    "fusion_record",
    "record",
    "write_fusion",
    "write_outputs",
    "write_segmentation",
    "write_segments",
]
