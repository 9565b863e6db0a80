"""What a model's record may say: bounds of window, settings and calibration, and the record's own checksum.

For Slicer's Python too, which has no pydantic: plain checks, each refusal one sentence (core/errors.py). The settings'
types are checked once more where the network is built, by pydantic (networks/config.py).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import InputError, input_error
from ..core.lesion import OF_PET
from ..core.modalities import MODALITIES
from ..preprocessing.likeness import feature_names

LARGEST_WINDOW = 512**3  # voxels; a network sees them at once
LARGEST_SETTING = 10_000  # channels, steps or blocks of any network that a file of weights could be of
LONGEST_SETTING = 64  # entries of a list, characters of a word
AGAIN = "install the model again"
MODEL_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"  # a folder's name, never a path
SPACING_MM = (0.01, 100.0)
# Of each number in a fit: lowest and highest that still mean something.
FIT = {"scale": (1e-6, 1e3), "offset": (-1e3, 1e3), "contour_width": (0.0, 1e4)}
VOLUME = {"mean": (-20.0, 20.0), "sd": (0.0, 20.0), "patients": (2, 10**6)}


def checksum(values: Mapping[str, Any]) -> str:
    """sha256 of a record's fields, whatever their order in the file and its white space."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def check_window(window: Mapping[str, Any]) -> None:
    """Raises InputError for a window that no network can have."""
    shape, spacing_mm = window.get("shape", ()), window.get("spacing_kji_mm", ())
    if not _are_numbers(shape, int) or any(n < 1 for n in shape) or math.prod(shape) > LARGEST_WINDOW:
        wanted = f"voxels along k, j and i, {LARGEST_WINDOW} together at most"
        raise input_error(f"a window of shape {_shown(shape)}", wanted, AGAIN)
    low, high = SPACING_MM
    if not _are_numbers(spacing_mm, (int, float)) or not all(low <= mm <= high for mm in spacing_mm):
        given = f"a window with a spacing of {_shown(spacing_mm)} mm"
        raise input_error(given, f"{low:g} to {high:g} millimeters along k, j and i", AGAIN)


def check_config(config: Mapping[str, Any]) -> None:
    """Raises InputError for a setting beyond what any network has, such as 10^9 channels, however deep it lies."""
    for name, value in config.items():
        _check_setting(str(name), value)
    modalities = config.get("modalities", ())
    if not isinstance(modalities, (list, tuple)) or not all(isinstance(m, str) for m in modalities):
        raise input_error(f"the setting modalities = {_shown(modalities)}", "a list of modality keys", AGAIN)


def _check_setting(name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        check_config({f"{name[:LONGEST_SETTING]}.{key}": part for key, part in value.items()})
    elif isinstance(value, (list, tuple)) and len(value) <= LONGEST_SETTING:
        for part in value:
            _check_setting(name, part)
    elif not _fits(value):
        wanted = f"numbers from 0 to {LARGEST_SETTING}, or a word or list of {LONGEST_SETTING} at most"
        raise input_error(f"the setting {name[:LONGEST_SETTING]} = {_shown(value)}", wanted, AGAIN)


def _fits(value: Any) -> bool:
    if isinstance(value, (int, float)):
        return 0 <= value <= LARGEST_SETTING
    return value is None or (isinstance(value, str) and len(value) <= LONGEST_SETTING)


def check_calibration(calibration: Mapping[str, Any]) -> None:
    """Raises InputError for a fit that cannot have been fitted; {} is a model that was not calibrated yet."""
    given = calibration.get("given", {})
    if not isinstance(given, Mapping) or not all(set(some.split()) <= set(MODALITIES) for some in given):
        raise _no_fit("given", given)
    for of, fitted in {"": calibration, **{f"given {some} ": fitted for some, fitted in given.items()}}.items():
        if not isinstance(fitted, Mapping) or (of and "all" not in fitted):
            raise _no_fit(of.strip(), fitted)
        _check_fits(of, fitted)


def _check_fits(of: str, fitted: Mapping[str, Any]) -> None:
    """What was fitted on all of the patients and without each of them; of: with which modalities, "" for all."""
    without, patients = fitted.get("without", {}), fitted.get("patients", [])
    if not isinstance(without, Mapping) or not isinstance(patients, list):
        raise _no_fit(f"{of}without", without)
    for name, fit in without.items():
        _check_fit(f"{of}without {name}", fit)
    if "all" not in fitted:
        return
    _check_fit(f"{of}all", fitted["all"])
    errors = {"volume": fitted["all"].get("volume", {}), **fitted["all"].get("uptake", {})}
    left_out = [name for name, fit in without.items() if "volume" not in fit]
    whole = all(len(each.get("ratios", [])) == len(patients) for each in errors.values())
    if left_out and (not whole or not set(left_out) <= set(patients)):
        raise _no_fit(f"{of}patients", patients)


def _check_fit(name: str, fit: Any) -> None:
    if not isinstance(fit, Mapping):
        raise _no_fit(name, fit)
    _check_numbers(name, fit, FIT)
    uptake = fit.get("uptake", {})
    if not isinstance(uptake, Mapping) or not set(uptake) <= set(OF_PET):
        raise _no_fit(f"{name}.uptake", uptake)
    for number, errors in {"volume": fit.get("volume", {}), **uptake}.items():
        _check_errors(f"{name}.{number}", errors)


def check_domain(domain: Mapping[str, Any]) -> None:
    """Raises InputError for a domain that nobody could have fitted; {} is a model that says nothing of its cases."""
    for name in ("extent_mm", "lesion_ml"):
        ends = domain.get(name, (0, 1))
        if not _is_list_of_numbers(ends) or len(ends) != 2 or not 0 <= ends[0] <= ends[1]:
            raise _no_domain(name, ends)
    for name in ("body_parts", "needed"):
        words = domain.get(name, [])
        if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
            raise _no_domain(name, words)
    likeness = domain.get("likeness", {})
    if not isinstance(likeness, Mapping) or not all(_is_likeness(*entry) for entry in likeness.items()):
        raise _no_domain("likeness", likeness)


def check_members(members: Mapping[str, Any]) -> None:
    """Raises InputError for a panel of one, and for a member that cannot be a model's folder and its sha256."""
    if len(members) == 1:
        raise input_error(f"a panel of {_shown(next(iter(members)))} alone", "two models or more", AGAIN)
    for name, sha256 in members.items():
        if not re.fullmatch(MODEL_ID, name) or not isinstance(sha256, str):
            raise input_error(f"a panel with the member {_shown(name)}", "the id of a model and its sha256", AGAIN)


def _is_likeness(modality: str, known: Any) -> bool:
    """Whether these are names, median, spread and precision of as many features that a modality has, and a
    threshold."""
    if not isinstance(known, Mapping) or not isinstance(known.get("names"), (list, tuple)):
        return False
    if modality not in MODALITIES or not all(name in feature_names(modality) for name in known["names"]):
        return False
    size, rows = len(known["names"]), known.get("precision")
    lines = (known.get("median"), known.get("spread"), *(rows if isinstance(rows, (list, tuple)) else ()))
    fits = len(lines) == size + 2 and all(_is_list_of_numbers(line) and len(line) == size for line in lines)
    return fits and size > 0 and all(s > 0 for s in known["spread"]) and is_number(known.get("threshold"))


def _is_list_of_numbers(values: Any) -> bool:
    return isinstance(values, (list, tuple)) and all(map(is_number, values))


def _no_domain(name: str, value: Any) -> InputError:
    return input_error(f"the domain's {name} = {_shown(value)}", "what `diffufusemed domain` writes", AGAIN)


def _check_numbers(name: str, values: Mapping[str, Any], bounds: Mapping[str, tuple[float, float]]) -> None:
    for key, (low, high) in bounds.items():
        value: Any = values.get(key)
        if not is_number(value) or not low <= value <= high:
            given = f"the calibration {name[:LONGEST_SETTING]} with {key} = {_shown(value)}"
            raise input_error(given, f"a number from {low:g} to {high:g}", AGAIN)


def _check_errors(name: str, errors: Any) -> None:
    """log_ratio_errors() of a number, {} where they were not measured."""
    if not isinstance(errors, Mapping):
        raise _no_fit(name, errors)
    if not errors:
        return
    _check_numbers(name, errors, VOLUME)
    earlier = errors.get("spreads", [])  # of the samples, as earlier versions measured it
    spreads, ratios = errors.get("level_spreads", earlier), errors.get("ratios", [])
    if not isinstance(spreads, Sequence) or not all(is_number(s) and 0 <= s <= 20 for s in spreads):
        raise _no_fit(f"{name}.level_spreads", spreads)
    if not isinstance(ratios, Sequence) or not all(is_number(r) and abs(r) <= 20 for r in ratios):
        raise _no_fit(f"{name}.ratios", ratios)
    if len(ratios) != len(spreads) and ("level_spreads" in errors or ratios):
        raise _no_fit(f"{name}.ratios", ratios)


def is_number(value: Any) -> bool:
    """Whether it is one, and finite; a bool is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _no_fit(name: str, value: Any) -> InputError:
    return input_error(f"the calibration {name[:LONGEST_SETTING]} = {_shown(value)}", "what calibrate writes", AGAIN)


def _are_numbers(values: Any, kind: type | tuple[type, ...]) -> bool:
    """Whether these are three numbers of this kind, two for a network of slices, or none at all."""
    if not isinstance(values, (list, tuple)) or len(values) not in (0, 2, 3):
        return False
    return all(isinstance(v, kind) and not isinstance(v, bool) for v in values)


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
