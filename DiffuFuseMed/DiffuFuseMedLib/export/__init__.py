"""What a run writes: segmentation, maps and one record of numbers, each with its provenance."""

from .outputs import write_outputs
from .record import record
from .seg_nrrd import LESION, Segment, contour_segments, write_segmentation, write_segments

__all__ = ["LESION", "Segment", "contour_segments", "record", "write_outputs", "write_segmentation", "write_segments"]
