"""Modalities: everything that is known of each, once.

Whoever adds one adds a ModalitySpec to MODALITIES, and it is read from files and DICOM, normalised, shown, listed in
both panels, reported and exported by what it says here.

Nobody keeps a copy of the table, or of a part of it, at import: a test, or a lab, may extend it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any


@dataclass(frozen=True)
class Timing:
    """What TR, TE and TI of an MR contrast are, both ends included, in ms; ti_from_ms: an inversion this late at
    least, 0 for whether there is one or not."""

    tr_ms: tuple[float, float]
    te_ms: tuple[float, float] = (0.0, inf)
    ti_from_ms: float = 0.0

    def fits(self, tr_ms: float, te_ms: float, ti_ms: float) -> bool:
        """ti_ms: 0 where there is no inversion."""
        (low_tr, high_tr), (low_te, high_te) = self.tr_ms, self.te_ms
        return low_tr <= tr_ms <= high_tr and low_te <= te_ms <= high_te and ti_ms >= self.ti_from_ms


@dataclass(frozen=True)
class Sequence:
    """How a DICOM series of an MR contrast is known.

    words: a regular expression for the series' description, protocol and sequence in lower case; decisive: it outweighs
    the words and timing of those that are not, as a "t2 flair" is a FLAIR; agent: whether a contrast agent was given,
    None where that makes no difference; timing: what tells where no words do; kinds: values of ImageType that only it
    has, with DIFFUSION for a b-value.
    """

    words: str
    decisive: bool = False
    agent: bool | None = None
    timing: Timing | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModalitySpec:
    """All numbers are in `unit`.

    Words. title: as a radiologist writes it; long_title: where there is room, "" for the title; short: among its own
    kind; description: the tip of the desktop's selector; words: what names it in a file's name, whole words in upper
    case; common: stands in the desktop's panel without unfolding; expected: a case without it, or without any of the
    MRs, is told so.

    DICOM. dicom: Modality (0008,0060); sop_classes: UIDs of objects that hold its slices, classic, enhanced, legacy
    converted enhanced (PS3.4 B.5), () where its DICOM is not read; sequence: for an MR.

    Values. scale: "HU" and "SUV" are kept as they are and checked to be such; "relative" has no unit of its own and is
    normalised by percentiles; "color" is red, green and blue of 0 to 255. unit: in files; legend_unit: behind a value
    on screen; report_unit: behind one in print; quantity: what a printed window is of. body_above: tissue as against
    air, None for a share of the bright end; lowest: the physical floor; outside: beyond the image; field_of_view: what
    lies beyond it within the array, "padding" of a CT's scanner, "zeros", or "all" for none; interpolation: "linear",
    "nearest" or "bspline".
    tracer: shows uptake, not anatomy. artefacts: names in training.corruptions, what can go wrong with it in a scan.

    Display. windows: (black, white) by name, the default first but for a tracer, whose default is from the case, none
    for percentiles; report_window: the same in print, None for one from the case; inverted: prints its high values
    black; digits: of a value under the mouse; window_digits: of a legend's ends; colors: the color node, which the
    reader may change for a tracer.
    """

    title: str
    description: str
    words: tuple[str, ...]
    dicom: str
    long_title: str = ""
    short: str = ""
    common: bool = False
    expected: bool = False
    sop_classes: tuple[str, ...] = ()
    sequence: Sequence | None = None
    scale: str = "relative"
    unit: str = ""
    legend_unit: str = ""
    report_unit: str = ""
    quantity: str = "window"
    body_above: float | None = None
    lowest: float = 0.0
    outside: float = 0.0
    field_of_view: str = "all"
    interpolation: str = "linear"
    tracer: bool = False
    artefacts: tuple[str, ...] = ("gaussian_noise", "blur")
    windows: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    report_window: tuple[float, float] | None = None
    inverted: bool = False
    digits: int = 0
    window_digits: int = 0
    colors: str = "Grey"

    @property
    def mr(self) -> bool:
        return self.dicom == "MR"


def mr(short: str, description: str, words: tuple[str, ...], sequence: Sequence, **others: Any) -> ModalitySpec:
    """What all MR contrasts have in common: no unit, nothing known in the zeros beyond the field of view."""
    common: dict[str, Any] = {
        "title": f"MR {short}",
        "dicom": "MR",
        "expected": True,
        "sop_classes": (
            "1.2.840.10008.5.1.4.1.1.4",
            "1.2.840.10008.5.1.4.1.1.4.1",
            "1.2.840.10008.5.1.4.1.1.4.4",
        ),
        "unit": "MR units",
        "field_of_view": "zeros",
        "artefacts": ("mr_bias", "mr_motion", "gaussian_noise", "blur"),
    }
    told = {"short": short, "description": description, "words": words, "sequence": sequence}
    return ModalitySpec(**{**common, **told, **others})


# Spin echo at 1.5 to 3 T: short TE and TR weigh T1, long TE and TR weigh T2; an inversion that nulls CSF makes FLAIR.
T1_WORDS = r"(?<![a-z0-9])t1(?!\d|rho)|mp.?rage|(?<![a-z])(spgr|bravo|vibe|lava|thrive)(?![a-z])"
T1_TIMING = Timing(tr_ms=(0.0, 1200.0), te_ms=(0.0, 30.0))
T2_TIMING = Timing(tr_ms=(1800.0, inf), te_ms=(60.0, inf))
FLAIR_TIMING = Timing(tr_ms=(4000.0, inf), ti_from_ms=1500.0)

# In the order in which they are listed everywhere, and in which each draws its seed: a new one goes to the end.
MODALITIES: dict[str, ModalitySpec] = {
    "CT": ModalitySpec(
        title="CT",
        description="The CT, in Hounsfield units",
        words=("CT",),
        dicom="CT",
        common=True,
        expected=True,
        sop_classes=(
            "1.2.840.10008.5.1.4.1.1.2",
            "1.2.840.10008.5.1.4.1.1.2.1",
            "1.2.840.10008.5.1.4.1.1.2.2",
        ),
        scale="HU",
        unit="HU",
        legend_unit="HU",
        report_unit="HU",
        body_above=-300.0,
        lowest=-1024.0,
        outside=-1000.0,
        field_of_view="padding",
        artefacts=("ct_streaks", "gaussian_noise", "blur"),
        # width and level as in common PACS presets
        windows={
            "soft tissue": (-160.0, 240.0),
            "bone": (-450.0, 1050.0),
            "brain": (0.0, 80.0),
            "lung": (-1350.0, 150.0),
        },
        report_window=(-160.0, 240.0),
    ),
    "PET": ModalitySpec(
        title="PET",
        description="The PET, as SUV by body weight",
        words=("PET", "PT"),
        dicom="PT",
        common=True,
        expected=True,
        sop_classes=(
            "1.2.840.10008.5.1.4.1.1.128",
            "1.2.840.10008.5.1.4.1.1.130",
            "1.2.840.10008.5.1.4.1.1.128.1",
        ),
        scale="SUV",
        unit="SUVbw",
        legend_unit="SUVbw",
        report_unit="g/mL",
        quantity="SUV",
        body_above=0.1,
        tracer=True,
        artefacts=("pet_noise", "gaussian_noise", "blur"),
        windows={"0-10": (0.0, 10.0), "0-5": (0.0, 5.0), "0-20": (0.0, 20.0)},
        inverted=True,
        digits=2,
        colors="PET heat",
    ),
    "MR_T1": mr(
        "T1",
        "The T1-weighted MR without contrast agent",
        ("T1", "T1W", "T1WI"),
        Sequence(T1_WORDS, agent=False, timing=T1_TIMING),
        common=True,
    ),
    "MR_T2": mr(
        "T2",
        "The T2-weighted MR",
        ("T2", "T2W", "T2WI"),
        Sequence(r"(?<![a-z0-9])t2(?!\d|\W?\*|\W?star|[a-z]?flair)", timing=T2_TIMING),
    ),
    "MR_FLAIR": mr(
        "FLAIR",
        "The FLAIR MR",
        ("FLAIR", "FLA"),
        Sequence(r"flair|dark.?fluid|(?<![a-z])fla(?![a-z])", decisive=True, timing=FLAIR_TIMING),
    ),
    "MR_T1C": mr(
        "T1 contrast",
        "The T1-weighted MR with contrast agent",
        ("T1C", "T1CE", "T1GD", "T1KM", "T1WC", "T1WCE"),
        Sequence(T1_WORDS, agent=True, timing=T1_TIMING),
        long_title="MR T1 with contrast",
    ),
    "SPECT": ModalitySpec(
        title="SPECT",
        description="The SPECT",
        words=("SPECT",),
        dicom="NM",
        unit="counts",
        legend_unit="counts",
        report_unit="counts",
        tracer=True,
        artefacts=("pet_noise", "gaussian_noise", "blur"),
        digits=2,
        colors="PET heat",
    ),
    # A photograph, of an endoscope or a fundus camera: one slice, and for scripts alone, since no host shows it.
    "RGB": ModalitySpec(
        title="Color picture",
        description="A picture in color",
        words=("RGB",),
        dicom="XC",
        scale="color",
        unit="0 to 255",
    ),
}


NOTHING = ModalitySpec(title="", description="", words=(), dicom="")


def spec_of(key: str | None) -> ModalitySpec:
    """What is known of a modality; of a mask (None), and of a key that is not in the table, that it is neither MR nor
    tracer and says something everywhere."""
    return MODALITIES.get(key or "", NOTHING)


def is_mr(key: str | None) -> bool:
    """Whether it is the key of an MR contrast."""
    return spec_of(key).mr


def is_tracer(key: str | None) -> bool:
    """Whether it is the key of a modality that shows uptake."""
    return spec_of(key).tracer


def contrasts() -> dict[str, Sequence]:
    """By key, how each MR contrast is known."""
    return {key: spec.sequence for key, spec in MODALITIES.items() if spec.sequence is not None}


def tracers() -> tuple[str, ...]:
    return tuple(key for key, spec in MODALITIES.items() if spec.tracer)


def is_color(key: str | None) -> bool:
    """Whether it is the key of pictures in color, whose arrays have red, green and blue as their last axis."""
    return spec_of(key).scale == "color"


def shown() -> tuple[str, ...]:
    """The keys that hosts have a place for: all but those in color."""
    return tuple(key for key in MODALITIES if not is_color(key))


def title_of(key: str) -> str:
    """As a radiologist writes it; the key itself where it is of no modality."""
    return spec_of(key).title or key


def long_title_of(key: str) -> str:
    """The title, in full where there is room for it."""
    return spec_of(key).long_title or title_of(key)


def short_of(key: str) -> str:
    """What a reader calls it beside the others of a case."""
    return spec_of(key).short or key


def units_of(key: str | None) -> str:
    """The unit that a Volume of this modality is in; "" for a mask."""
    return spec_of(key).unit


def dicom_classes() -> dict[str, str]:
    """Modality (0008,0060) by the SOP class UID of what holds slices."""
    return {uid: spec.dicom for spec in MODALITIES.values() for uid in spec.sop_classes}


def of_dicom(code: str | None) -> str | None:
    """The first key that Modality (0008,0060) tells; None for MR, where contrasts differ, and for an unknown code."""
    return next((key for key, spec in MODALITIES.items() if spec.dicom == code and not spec.mr), None)
