"""Why numbers have no range: each reason once, with the names of all that it is of."""

from types import SimpleNamespace

import pytest
from DiffuFuseMedLib.core.prediction import Interval, Prediction

SAME, OTHER, CASE = (
    "the width did not depend on the case.",
    "nothing was found.",
    "No range is shown, because of the case.",
)


def no_range(name, why):
    return Interval(1.0, None, None, "mL", withheld=f"No range of {name} is shown: {why}")


@pytest.mark.parametrize(
    ("volume", "uptake", "said"),
    [
        (Interval(1.0, 0.5, 2.0, "mL"), {}, ()),
        (no_range("the volume", SAME), {}, (f"No range of the volume is shown: {SAME}",)),
        (
            no_range("the volume", SAME),
            {
                "suv_mean": no_range("SUVmean", SAME),
                "mtv_ml": no_range("the MTV", OTHER),
                "tlg_g": no_range("the TLG", SAME),
            },
            (f"No range of the volume, SUVmean and the TLG is shown: {SAME}", f"No range of the MTV is shown: {OTHER}"),
        ),
        (
            Interval(1.0, None, None, "mL", withheld=CASE),
            {"mtv_ml": Interval(1.0, None, None, "mL", withheld=CASE)},
            (CASE,),
        ),
    ],
    ids=["none", "the volume's", "two reasons", "the case's"],
)
def test_each_reason_is_said_once(volume, uptake, said):
    assert Prediction.withheld.fget(SimpleNamespace(volume_ml=volume, uptake=uptake)) == said
