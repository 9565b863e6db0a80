"""Which of a model's calibrations a case is judged by: that of the modalities it has, and for a calibration patient the
one that was fitted without it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any

from ...core.errors import input_error
from ...models.registry import ModelRecord
from ...uncertainty import errors_without


def subsets_of(modalities: Collection[str]) -> list[tuple[str, ...]]:
    """Each choice of some of the modalities, the larger first; neither all of them nor none."""
    return [some for count in range(len(modalities) - 1, 0, -1) for some in combinations(modalities, count)]


def key_of(modalities: Collection[str]) -> str:
    """What a choice of modalities is called in a record."""
    return " ".join(modalities)


def given_alone(record: ModelRecord, modalities: Collection[str]) -> tuple[str, ...]:
    """Those of the model's modalities that a case has, where the model has a calibration of cases with no others; () of
    a case with all, and where there is none."""
    some = tuple(key for key in record.modalities if key in modalities)
    return some if frozenset(some) in record.calibrated_alone else ()


def calibration_for(record: ModelRecord, case_name: str, modalities: Collection[str]) -> dict[str, Any]:
    """What was fitted on validation patients with these modalities, or on those with all where nothing was fitted with
    fewer; for one of the patients, what was fitted without it. Raises InputError for a model without: its probabilities
    would be nobody's."""
    if "all" not in record.calibration:
        given, wanted = f"the model {record.id} without a calibration", "one fitted on patients that it never saw"
        raise input_error(given, wanted, "run `diffufusemed calibrate` first, or install the model again")
    return _without(_chosen(record, modalities), case_name)


def left_out_of(record: ModelRecord, case_name: str, modalities: Collection[str]) -> bool:
    """Whether the case is one of the patients of calibration_for(), whose own errors it is not judged by."""
    return case_name in _chosen(record, modalities).get("without", {})


def _chosen(record: ModelRecord, modalities: Collection[str]) -> Mapping[str, Any]:
    alone = given_alone(record, modalities)
    if not alone:
        return record.calibration
    given = record.calibration["given"]
    return next(fitted for key, fitted in given.items() if set(key.split()) == set(alone))


def _without(fitted: Mapping[str, Any], case_name: str) -> dict[str, Any]:
    every, own = fitted["all"], fitted.get("without", {}).get(case_name)
    if own is None:
        return dict(every)
    if "volume" in own:  # of a version that wrote these once more for each patient
        return {**every, **own}
    at = fitted["patients"].index(case_name)
    uptake = {name: errors_without(errors, at) for name, errors in every.get("uptake", {}).items()}
    return {**every, **own, "volume": errors_without(every["volume"], at), "uptake": uptake}
