"""What the header of an image file may say: a strict grammar for MetaImage, NRRD and NIfTI, read before any imaging
library sees the file, which then gets nothing but what was understood here, written anew."""

from .header import Data, ImageHeader, header_of
from .voxels import read_voxels

__all__ = ["Data", "ImageHeader", "header_of", "read_voxels"]
