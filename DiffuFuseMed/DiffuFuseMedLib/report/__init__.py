"""The report: one self-contained page of a run, or of a fusion alone."""

from .page import write_fusion_report, write_report
from .review import ReviewSection

__all__ = ["ReviewSection", "write_fusion_report", "write_report"]
