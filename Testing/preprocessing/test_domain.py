"""The domain guard: each way in which a case is not one of those that a model is for is one sentence."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.body_parts import body_part_of
from DiffuFuseMedLib.preprocessing.domain import before_run, beside_result, withheld
from DiffuFuseMedLib.preprocessing.likeness import distance, feature_names, features, usual

KNOWN = ("CT", "PET", "MR_T1")


@pytest.fixture(scope="module")
def cases(a_case):
    return [a_case((12, 36, 32), name) for name in ("a", "bb", "ccc", "dddd", "eeeee", "ffffff")]


@pytest.fixture(scope="module")
def a_domain(cases):
    """Fitted on six cases that differ by their noise."""
    looked = {m: usual([features(c.volumes[m], c.valid[m]) for c in cases]) for m in KNOWN}
    likeness = {m: {**known, "threshold": 5.0} for m, known in looked.items()}
    ranges = {"extent_mm": [40, 120], "lesion_ml": [10, 100], "body_parts": ["leg", "arm"]}
    return {**ranges, "needed": list(KNOWN), "likeness": likeness}


def outside(case, domain, on=None):
    return before_run(case, domain, KNOWN, on or case.modalities).outside


def test_a_case_like_those_of_the_training_is_within(a_case, a_domain):
    case = a_case((12, 36, 32), "ggggggg")
    assert before_run(case, a_domain, KNOWN, case.modalities).sentences == ()
    inside = np.zeros(case.grid.shape, bool)
    inside[3:9, 10:20, 10:20] = True
    assert beside_result(case, a_domain, inside) == []


@pytest.mark.parametrize(
    ("on", "missing"),
    [(("CT", "PET"), ""), (("PET", "CT"), ""), (("CT",), "PET, MR T1"), (("PET", "MR_T1"), "CT"), (KNOWN, "")],
)
def test_some_of_the_modalities_are_enough_where_a_model_was_calibrated_with_just_these(a_case, a_domain, on, missing):
    case = a_case((12, 36, 32), "ggggggg")
    found = before_run(case, a_domain, KNOWN, on, {frozenset(["CT", "PET"])})
    told = f"The model was calibrated with CT, PET, MR T1 together; missing: {missing}."
    assert found.outside == ((told,) if missing else ())
    alone = "Without MR T1: ranges and probabilities are those of patients with CT, PET alone."
    assert found.remarks == ((alone,) if set(on) == {"CT", "PET"} else ())


@pytest.mark.parametrize("modality", KNOWN)
def test_the_features_of_a_modality_are_known_by_name(cases, modality):
    assert tuple(features(cases[0].volumes[modality], cases[0].valid[modality])) == feature_names(modality)


@pytest.mark.parametrize("modality", KNOWN)
def test_noise_in_place_of_an_image_is_unlike(a_case, a_domain, modality):
    case = a_case()
    noise = np.abs(np.random.default_rng(0).normal(200, 300, case.grid.shape)).astype(np.float32)
    spoilt = {**case.volumes, modality: case.volumes[modality].with_array(noise)}
    (sentence,) = outside(replace(case, volumes=spoilt), a_domain)
    assert "is unlike the images of the training, most of all in its " in sentence


def test_an_image_without_a_body_is_said_to_be_that(a_case, a_domain):
    case = a_case()
    air = case.volumes["CT"].with_array(np.full(case.grid.shape, -1000, np.float32))
    assert "CT shows hardly any body." in outside(replace(case, volumes={**case.volumes, "CT": air}), a_domain)


def test_a_modality_that_is_switched_off_is_missing(a_case, a_domain):
    (sentence,) = outside(a_case(), a_domain, on=("CT", "MR_T1"))
    assert sentence == "The model was calibrated with CT, PET, MR T1 together; missing: PET."


def test_a_modality_that_the_model_does_not_take_is_a_remark(a_case, a_domain):
    case = a_case()
    more = replace(
        case,
        volumes={**case.volumes, "MR_T2": replace(case.volumes["MR_T1"], modality="MR_T2")},
        valid={**case.valid, "MR_T2": case.valid["MR_T1"]},
    )
    found = before_run(more, a_domain, KNOWN, more.modalities)
    assert (found.outside, len(found.remarks)) == ((), 1)
    assert "MR T2 will not be used" in found.remarks[0]


@pytest.mark.parametrize(("part", "said"), [("head", 1), ("leg", 0), ("", 0)])
def test_a_body_part_that_the_model_is_not_for_is_told(a_case, a_domain, part, said):
    case = a_case()
    told = {m: v.with_array(v.array, body_part=part) for m, v in case.volumes.items()}
    found = outside(replace(case, volumes=told), a_domain)
    assert len(found) == said
    assert all(s == "The images are of the head, the model is for: leg, arm." for s in found)


def test_a_field_of_view_beyond_the_trainings_is_told(a_case, a_domain):
    (sentence,) = outside(a_case(), {**a_domain, "extent_mm": [10, 60]})
    assert "field of view is 80 x 90 x 48 mm, in the training its edges were 10 to 60 mm" in sentence


def test_nothing_found_a_lesion_that_is_cut_off_and_one_of_another_size_are_told(a_case, a_domain):
    case = a_case()
    lesion = np.zeros(case.grid.shape, bool)
    assert "Nothing was found (0 mL)" in beside_result(case, a_domain, lesion)[0]
    lesion[3:7, 10:20, 10:20] = True  # 4 x 10 x 10 voxels of 25 mm3: 10 mL
    assert beside_result(case, a_domain, lesion) == []
    lesion[:7, 10:20, 10:20] = True
    assert ["reaches the edge" in s for s in beside_result(case, a_domain, lesion)] == [True]
    lesion[:], lesion[1:11, 2:34, 2:30] = False, True
    assert "The lesion has 224.0 mL" in " ".join(beside_result(case, a_domain, lesion))


def test_a_model_that_says_nothing_of_its_cases_holds_none_to_be_outside(a_case):
    assert before_run(a_case(), {}, KNOWN, KNOWN).sentences == ()


def test_why_no_range_is_shown_is_one_sentence():
    why = withheld(["The field of view is small.", "PET is missing."])
    assert why == "No range is shown, because the model was not made for such a case: the field of view is small."
    assert withheld(["CT is unlike the images."]).endswith(": CT is unlike the images.")


def test_the_distance_grows_with_what_deviates_and_names_it(cases):
    found = [features(c.volumes["CT"], c.valid["CT"]) for c in cases]
    known = usual(found)
    far, most = distance({**found[0], "fat": found[0]["fat"] + 10}, known)
    assert (most, far > 5 > distance(found[0], known)[0]) == ("fat", True)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("BRAIN", "head"),
        ("Head^Routine", "head"),
        ("LEG", "leg"),
        ("CHEST ABDOMEN", ""),
        ("t1_tse", ""),
        ("UPPERARM", ""),
    ],
)
def test_a_body_part_is_known_by_whole_words(text, part):
    assert body_part_of(text) == part
