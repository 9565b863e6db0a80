"""A DICOM SEG of the lesion, which refers to the slices that the case was read from; and back."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from DiffuFuseMedLib import load_case, predict
from DiffuFuseMedLib.io.dicom.drawn_by import DrawnBy
from DiffuFuseMedLib.io.dicom.seg import read_dicom_seg
from DiffuFuseMedLib.io.dicom.seg_writer import write_dicom_seg
from DiffuFuseMedLib.io.dicom.source_series import SourceSeries, files_of, why_no_series

CASE = Path(__file__).parents[1] / "Resources" / "SampleData" / "STS_010"
SERIES = Path("out/examples/dicom/ct")
SERIES.mkdir(parents=True, exist_ok=True)

files = load_case(CASE).cropped((14, 40, 40), (46, 124, 146))
print(why_no_series(files))  # NIfTI has no slices to refer to

# A scanner's series, as far as it matters here: yours comes from an archive.
image = sitk.Cast(files.volumes["CT"].to_sitk(), sitk.sitkInt16)
same = {"0008|0016": "1.2.840.10008.5.1.4.1.1.2", "0008|0060": "CT", "0010|0020": "anonymous"}
same |= {"0020|000d": "2.25.1", "0020|000e": "2.25.2", "0020|0052": "2.25.3"}  # study, series, frame of reference
same |= {"0020|0037": r"1\0\0\0\1\0", "0018|0050": "3.27"}
writer = sitk.ImageFileWriter()
writer.KeepOriginalImageUIDOn()
for k in range(image.GetSize()[2]):
    place = "\\".join(f"{x:.6f}" for x in image.TransformIndexToPhysicalPoint((0, 0, k)))
    one = image[:, :, k]
    for tag, value in {**same, "0020|0013": str(k + 1), "0020|0032": place}.items():
        one.SetMetaData(tag, value)
    writer.Execute(one, str(SERIES / f"{k:03d}.dcm"), False, -1)

case = load_case(SERIES)
prediction = predict(case, samples=1)
series = SourceSeries.read(files_of(case))
lesion = series.mask(prediction.labels > 0, case.grid)
path = SERIES.parent / "lesion.dcm"
write_dicom_seg(lesion, series, path, DrawnBy.of(prediction.provenance))
read = read_dicom_seg(path, case.grid)
same_voxels = np.array_equal(read["lesion"].array > 0, prediction.labels > 0)
print(f"{path}: {list(read)}, the same voxels: {same_voxels}")
