"""DICOM: image series, RT Structure Sets and Segmentations, and the arithmetic of SUV."""
