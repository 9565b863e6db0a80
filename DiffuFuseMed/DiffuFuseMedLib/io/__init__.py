"""Images from files and DICOM folders."""

from .dicom.images import patient_id_hash, read_dicom_folder
from .image_files import read_image, read_volume
from .naming import modality_from_name

__all__ = ["modality_from_name", "patient_id_hash", "read_dicom_folder", "read_image", "read_volume"]
