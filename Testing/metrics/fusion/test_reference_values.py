"""Whole metrics against the numbers of an independent program on real pictures.

That program was checked against CDDFuse's evaluator (all but FSIM) and piq 0.8.0 (VIF, FSIM). Fused pictures are not
rounded; the entropy and the mutual information round them to gray values, which had to be inferred: without it the
averages disagree.
"""

import numpy as np
import pytest
from DiffuFuseMedLib.metrics import fusion

FUSE = {"average": lambda ct, mri: (ct + mri) / 2, "maximum": np.maximum}
COLUMNS = ("EN", "SD", "SF", "MI", "SCD", "VIF", "Qabf", "SSIM", "FSIM(F, MRI)")
REFERENCE = {
    ("16010.png", "average"): (4.4292, 55.444, 20.441, 2.6263, 1.0914, 0.4302, 0.3528, 1.4126, 0.7697),
    ("16010.png", "maximum"): (3.7625, 82.734, 33.427, 3.0093, 1.6181, 0.5787, 0.6128, 1.4294, 0.7459),
    ("34015.png", "average"): (4.2958, 60.035, 18.341, 2.5186, 1.1438, 0.3816, 0.3135, 1.3970, 0.7878),
    ("34015.png", "maximum"): (3.6200, 91.145, 30.058, 2.9934, 1.6457, 0.5468, 0.5629, 1.4210, 0.7532),
    ("20009.png", "average"): (3.8505, 64.002, 21.587, 2.3957, 0.8145, 0.4043, 0.3632, 1.4883, 0.8013),
    ("20009.png", "maximum"): (3.1300, 94.847, 34.742, 2.5395, 1.4018, 0.6398, 0.5905, 1.4942, 0.7284),
    ("33013.png", "average"): (4.1633, 62.218, 17.783, 2.4477, 1.0725, 0.3855, 0.3314, 1.4628, 0.8045),
    ("33013.png", "maximum"): (3.5503, 90.575, 28.943, 3.0086, 1.5149, 0.6061, 0.5736, 1.4698, 0.7609),
}
LAST_DIGIT = {"SD": 1e-3, "SF": 1e-3}  # of the printed number; 1e-4 for the others


@pytest.mark.parametrize(("name", "how"), REFERENCE)
def test_every_metric_gives_the_reference_value_to_its_last_printed_digit(harvard, name, how):
    ct, mri = harvard(name)
    f = FUSE[how](ct, mri)
    sources = (mri, ct)
    got = (
        fusion.entropy(f),
        fusion.standard_deviation(f),
        fusion.spatial_frequency(f),
        fusion.mutual_information(f, *sources),
        fusion.scd(f, *sources),
        fusion.vif(f, *sources),
        fusion.qabf(f, *sources),
        fusion.ssim_sum(f, *sources),
        fusion.fsim(f, mri),
    )
    for column, value, wanted in zip(COLUMNS, got, REFERENCE[name, how], strict=True):
        assert value == pytest.approx(wanted, abs=0.51 * LAST_DIGIT.get(column, 1e-4)), column
