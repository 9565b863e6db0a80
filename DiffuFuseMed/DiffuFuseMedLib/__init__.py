"""DiffuFuseMed: fuse PET, CT and MRI, segment the lesion, show where it may be wrong."""

__version__ = "0.1.0"
