"""Presets: slider values for one clinical question, each with its reason, shipped or a user's own as JSON.

CLIN-FuseDiff++, section 3.2: (alpha, beta, gamma) and (lambda1, lambda2, lambda3) "for disease scenarios".
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from numbers import Real
from pathlib import Path
from typing import Any

from .errors import InputError, input_error
from .staging import staged
from .whole_file import write_whole

VERSION = 1
LONGEST_NAME = 80
LARGEST_LAMBDA, LARGEST_TAU_MM = 10.0, 20.0
DEFAULT_PRESET = "soft-tissue-sarcoma"  # in every host and on the command line
VALUES = ("alpha", "beta", "gamma", "lambdas", "tau_mm", "ct_window_hu")  # of a Preset, beside its words
HU_RANGE = (-32768, 32767)  # what 16 bits can store


@dataclass(frozen=True)
class Preset:
    """One setting of the fusion. Raises InputError for a value out of its range.

    alpha, beta, gamma: 0 to 1, soft tissue like MRI, bone like CT, lesion border; lambdas: 0 to 10, the weights of
    Dice, NSD and HD95 in the lesion term; tau_mm: above 0 to 20, the tolerance of NSD; ct_window_hu: the HU shown black
    and white, within 16 bits; reason: why these values, one or two sentences.
    """

    name: str
    title: str
    reason: str
    alpha: float
    beta: float
    gamma: float
    lambdas: tuple[float, float, float]
    tau_mm: float
    ct_window_hu: tuple[float, float]

    def __post_init__(self) -> None:
        for key in ("name", "title", "reason"):
            _check_text(key, getattr(self, key))
        check_values(self)


def find_preset(told: str) -> Preset:
    """The shipped preset of this name, or the one in a .json file. Raises InputError for a name that is neither."""
    if told in PRESETS:
        return PRESETS[told]
    if told.endswith(".json"):
        return load_preset(Path(told))
    raise input_error(f"the preset {told!r}", f"one of {', '.join(PRESETS)} or a .json file", "choose one of these")


def name_from(title: str) -> str:
    """A name for a preset of this title, as a file is called: its letters and digits in small, joined by hyphens."""
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split()) or "preset"


def save_preset(preset: Preset, file: Path) -> None:
    """Write the preset as JSON with its format's version, whole or not at all. Raises InputError when that fails."""
    text = json.dumps({"version": VERSION, **asdict(preset)}, indent=2, ensure_ascii=False, allow_nan=False)
    with staged(file.parent) as staging:
        write_whole(staging / file.name, text + "\n")


def load_preset(file: Path) -> Preset:
    """The preset in a JSON file that save_preset wrote or a user did. Raises InputError, one sentence, for all else."""
    entries = _read(file)
    version = entries.pop("version", None)
    if version != VERSION or isinstance(version, bool):
        raise input_error(f"a preset of version {version!r}", f"version {VERSION}", "save it again as a preset")
    wanted = {field.name for field in fields(Preset)}
    for key in sorted(wanted ^ set(entries)):
        given = "without" if key in wanted else "with the unknown entry"
        raise input_error(f"a preset {given} {key!r}", f"just {', '.join(sorted(wanted))}", "correct the file")
    pairs = {key: tuple(entries[key]) for key in ("lambdas", "ct_window_hu") if isinstance(entries[key], list)}
    return Preset(**{**entries, **pairs})


def user_presets(folder: Path) -> tuple[dict[str, Preset], list[str]]:
    """The presets of a folder's *.json by name, and a sentence for each file that gives none.

    A file that repeats a shipped preset's name or that of a file before it gives none. A folder that is not there is
    empty: a user who has saved nothing yet.
    """
    found: dict[str, Preset] = {}
    problems = []
    for file in sorted(folder.glob("*.json")):
        try:
            preset = load_preset(file)
            if preset.name in PRESETS or preset.name in found:
                raise input_error(f"the name {preset.name!r} again", "a name of its own", "rename the preset")
            found[preset.name] = preset
        except InputError as error:
            problems.append(f"{file.name} was left out. {error}")
    return found, problems


def check_values(values: Any) -> None:
    """Check what has a Preset's sliders (a Preset, FusionSettings). Raises InputError for the first that is wrong."""
    for key in ("alpha", "beta", "gamma"):
        _check_number(key, getattr(values, key), 0, 1)
    _check_length("lambdas", values.lambdas, 3)
    for n, weight in enumerate(values.lambdas, 1):
        _check_number(f"lambda{n}", weight, 0, LARGEST_LAMBDA)
    _check_number("tau_mm", values.tau_mm, 0, LARGEST_TAU_MM)
    if values.tau_mm == 0:
        raise input_error("tau_mm=0", "a tolerance above 0 mm", "correct tau_mm")
    _check_length("ct_window_hu", values.ct_window_hu, 2)
    low, high = values.ct_window_hu
    for hu in (low, high):
        _check_number("ct_window_hu", hu, *HU_RANGE)
    if not low < high:
        raise input_error(f"a CT window from {low:g} to {high:g} HU", "a lower end below its upper end", "correct it")


def _check_text(key: str, text: Any) -> None:
    if not isinstance(text, str) or not text.strip():
        raise input_error(f"a preset whose {key} is {_shown(text)}", "some words", f"give it a {key}")
    if key == "name" and (len(text) > LONGEST_NAME or not text.isprintable()):
        raise input_error("a preset's name that is too long or breaks the line", "one short line", "shorten the name")


def _check_number(key: str, value: Any, low: float, high: float) -> None:
    right = isinstance(value, Real) and not isinstance(value, bool)
    if not right or not low <= value <= high:  # NaN is not between either
        raise input_error(f"{key}={_shown(value)}", f"a number from {low:g} to {high:g}", f"correct {key}")


def _check_length(key: str, values: Any, length: int) -> None:
    if not isinstance(values, tuple) or len(values) != length:
        raise input_error(f"{key}={_shown(values)}", f"a list of {length} numbers", f"correct {key}")


def _shown(value: Any) -> str:
    """As in the file, but never longer than a line."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _read(file: Path) -> dict[str, Any]:
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise input_error(
            f"the preset file {file.name}, which cannot be read", "a JSON file", "check the path"
        ) from error
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise input_error("text that is not JSON", "a saved preset", "save it again") from error
    if not isinstance(entries, dict):
        raise input_error("JSON that is no object", "a saved preset", "save it again as a preset")
    return entries


# Last, because making one checks it.
PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "bone-tumor",
            "Bone tumor",
            "Cortical breach, periosteal reaction and matrix are read from the CT, so bone follows it closely and the "
            "window reaches 1300 HU to keep cortical detail. Spread into soft tissue is read from the MR.",
            alpha=0.70,
            beta=0.95,
            gamma=0.60,
            lambdas=(1.0, 1.0, 0.5),
            tau_mm=2.0,
            ct_window_hu=(-200.0, 1300.0),
        ),
        Preset(
            "soft-tissue-sarcoma",
            "Soft-tissue sarcoma",
            "The planes between tumor, muscle and vessels, along which the surgeon cuts, are seen on the MR alone, so "
            "soft tissue and lesion border are held firmly. Bone is needed as a landmark and for its contact with the "
            "tumor.",
            alpha=0.90,
            beta=0.60,
            gamma=0.75,
            lambdas=(1.0, 1.0, 0.5),
            tau_mm=2.0,
            ct_window_hu=(-160.0, 840.0),
        ),
        Preset(
            "brain-glioma",
            "Brain glioma",
            "The tumor is defined on the MR and its margin infiltrates, so overlap counts more than an exact surface "
            "and the tolerance is wide. The CT adds skull and calcification, which a window up to 450 HU sets off from "
            "brain.",
            alpha=0.90,
            beta=0.60,
            gamma=0.50,
            lambdas=(1.0, 0.5, 0.25),
            tau_mm=3.0,
            ct_window_hu=(-50.0, 450.0),
        ),
        Preset(
            "brain-haemorrhage",
            "Brain hemorrhage",
            "Fresh blood has 50 to 90 HU and changes its MR signal from day to day, so a narrow CT window makes it "
            "stand out. Alpha is low to keep what the CT shows inside the brain.",
            alpha=0.40,
            beta=0.60,
            gamma=0.50,
            lambdas=(1.0, 1.0, 0.5),
            tau_mm=2.0,
            ct_window_hu=(-20.0, 120.0),
        ),
        Preset(
            "head-and-neck",
            "Head and neck",
            "Invasion of mandible and skull base is a matter of thin cortex on the CT, spread along nerves and into "
            "the tongue one of MR contrast, so both are held. Spaces are narrow: the border counts within 1 mm.",
            alpha=0.75,
            beta=0.80,
            gamma=0.70,
            lambdas=(1.0, 1.0, 0.5),
            tau_mm=1.0,
            ct_window_hu=(-200.0, 1000.0),
        ),
        Preset(
            "radiotherapy-planning",
            "Radiotherapy planning",
            "Patients are set up on bone as the planning CT shows it, and the target's outline decides where the dose "
            "falls off, so bone and lesion border come first. The tolerance of 2 mm is within usual set-up margins.",
            alpha=0.60,
            beta=0.95,
            gamma=0.95,
            lambdas=(1.0, 1.0, 1.0),
            tau_mm=2.0,
            ct_window_hu=(-160.0, 1040.0),
        ),
    )
}
