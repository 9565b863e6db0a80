"""The domain of a model as it is fitted: ranges of the patients, and what their images look like, fold against fold."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.split import read_split
from DiffuFuseMedLib.models import registry
from DiffuFuseMedLib.models.record_checks import check_domain
from DiffuFuseMedLib.preprocessing.domain import unlike
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.tasks.segment.domain import Looked, false_alarms, fit_domain, threshold

SHAPE = (14, 48, 44)  # enough body at 2 mm


@pytest.fixture(scope="module")
def cases(tmp_path_factory, a_case, write_case):
    """Six patients in three folds; the last two have lesions that are an eighth and a quarter of the ball."""
    folder = tmp_path_factory.mktemp("cases")
    for n in range(6):
        case = a_case(SHAPE, name=f"p{n}" + "x" * n)
        mask = case.reference_mask.array.copy()
        mask[:, :, : (0, 0, 0, 0, 22, 22)[n]] = 0
        mask[:, : (0, 0, 0, 0, 24, 0)[n]] = 0
        write_case(replace(case, reference_mask=case.reference_mask.with_array(mask)), folder / f"p{n}")
    (folder / "split.json").write_text('{"folds": [["p0", "p1"], ["p2", "p3"], ["p4", "p5"]]}', encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def record(models):
    return registry.record("tiny", models)


def fitted(record, cases, folds=None):
    plan = read_split(cases / "split.json")
    plan = plan if folds is None else replace(plan, folds=folds)
    return fit_domain(record, cases, plan, [" leg"], lambda share, what: None)


def test_ranges_are_those_of_the_patients_and_a_quarter_more(record, cases):
    domain, _ = fitted(record, cases)
    check_domain(domain)
    volumes = [np.count_nonzero(load_case(cases / f"p{n}").reference_mask.array) * 0.025 for n in range(6)]
    assert domain["lesion_ml"] == [round(min(volumes) / 1.25, 1), round(max(volumes) * 1.25, 1)]
    assert domain["extent_mm"] == [round(56 / 1.25), round(120 * 1.25)]
    assert (domain["patients"], domain["body_parts"], domain["needed"]) == (6, ["leg"], ["CT", "PET", "MR_T1"])


def test_the_patients_are_like_the_others_and_an_inverted_image_is_not(record, cases):
    domain, alarms = fitted(record, cases)
    case = load_case(cases / "p0")
    assert set(domain["likeness"]) == set(alarms) == {"CT", "PET", "MR_T1"} and all(
        0 <= a <= 1 for a in alarms.values()
    )
    assert unlike(case, domain) == []
    cold = case.volumes["PET"].with_array(10 - case.volumes["PET"].array)
    (said,) = unlike(replace(case, volumes={**case.volumes, "PET": cold}), domain)
    assert said.startswith("PET is unlike")


def test_where_images_show_too_little_body_their_look_is_not_checked(record, tmp_path, a_case, write_case):
    for n in range(3):
        write_case(a_case((3, 12, 12), name=f"p{n}"), tmp_path / f"p{n}")
    (tmp_path / "split.json").write_text('{"folds": [["p0"], ["p1"], ["p2"]]}', encoding="utf-8")
    domain, alarms = fitted(record, tmp_path)
    assert domain["likeness"] == alarms == {} and domain["extent_mm"] == [round(12 / 1.25), round(30 * 1.25)]


def test_two_folds_are_too_few(record, cases):
    with pytest.raises(InputError, match="in 2 folds"):
        fitted(record, cases, (("p0", "p1"), ("p2",)))


def test_a_patient_that_the_training_held_out_has_no_part(record, cases):
    domain, _ = fitted(replace(record, training={"held_out": ["p5"]}), cases)
    assert domain["patients"] == 5


def test_each_patient_is_looked_at_whole_and_cropped(record, cases):
    plan = replace(read_split(cases / "split.json"), crops={f"p{n}": ((0, 0, 0), (14, 24, 44)) for n in range(6)})
    domain, _ = fit_domain(record, cases, plan, ["leg"], lambda share, what: None)
    assert domain["extent_mm"] == [round(56 / 1.25), round(120 * 1.25)], "120 mm is of the whole images"
    small = replace(plan, crops={"p0": ((0, 0, 0), (10, 48, 44))})
    assert fit_domain(record, cases, small, ["leg"], lambda share, what: None)[0]["extent_mm"][0] == round(40 / 1.25)


def looked(value, fold):
    return Looked(f"p{value}", fold, ({"CT": {"median HU": value}},), ((10.0,),), 1.0)


# The last fold's patients are of another kind.
OF_ANOTHER_KIND = [looked(v, f) for v, f in ((0.0, 0), (1.0, 0), (0.2, 1), (0.8, 1), (20.0, 2), (20.1, 2))]


def test_a_patients_own_fold_has_no_part_in_how_far_it_lies():
    assert threshold(OF_ANOTHER_KIND, "CT") > 10


def test_patients_beyond_what_the_other_folds_allow_are_false_alarms():
    assert false_alarms(OF_ANOTHER_KIND, "CT") == pytest.approx(2 / 6)
