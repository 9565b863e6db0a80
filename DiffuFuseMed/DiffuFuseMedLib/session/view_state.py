"""ViewState: what the panel shows, as plain values that either host can draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Message:
    """level: info, warning or error; sentence: for the reader; detail: below it, for a bug report."""

    level: str
    sentence: str
    detail: str = ""
    number: int = 0


@dataclass
class ViewState:
    """One entry per thing on the panel. A state is "none", "stale" (dimmed: not of the present settings), "working",
    or "ready"."""

    case_name: str = ""
    loading: str = ""  # what is being done to open a case, empty when nothing is
    loading_share: float = 0.0
    saving: str = ""  # what is being written, empty when nothing is
    modalities: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)  # what each modality was read from
    unread: tuple[str, ...] = ()  # images of the folder whose modality nobody knows
    movable: tuple[str, ...] = ()  # modalities beside the reference
    placing: str = ""  # which image is being registered, empty when none is
    alignment: str = ""
    quality: tuple[str, ...] = ()
    suv_units: tuple[dict[str, str], ...] = ()  # value, title, why_not: what PET values can be in
    doubts: tuple[str, ...] = ()  # what the reader should know before the images are believed, until it was seen
    no_dicom: str = ""  # why the lesion cannot be written as DICOM, one sentence; empty when it can
    no_export: dict[str, str] = field(default_factory=dict)  # by kind of file why it cannot be exported now, or empty
    export_notes: tuple[str, ...] = ()  # these, and what is preliminary in what can be, one sentence each

    fusion: str = "none"
    fusion_words: str = ""
    fusion_share: float = 0.0
    gamma_hint: str = ""  # why gamma changes nothing at present, and what lets it; empty when it does
    fusion_limits: tuple[str, ...] = ()  # what the fused picture cannot show of its sources, sentences

    run: str = "none"
    run_words: str = ""
    run_share: float = 0.0
    run_seconds_left: float | None = None
    gates: dict[str, float] = field(default_factory=dict)
    change: str = ""  # what the last run changed, in words

    domain: tuple[str, ...] = ()  # how the case is unlike those that the chosen model is for, before it is run
    withheld: tuple[str, ...] = ()  # why no range stands beside the volume, or beside any number

    numbers: tuple[dict[str, str], ...] = ()  # label, value, range
    counting: bool = False  # whether the numbers are being counted again: those shown are of the lesion before
    annotators: tuple[dict[str, str], ...] = ()  # core.agreement.agreement_rows() with color, then majority and STAPLE
    annotator_words: str = ""  # how far they agree; empty for a case that fewer than two drew
    accepted: bool = False  # a reader stands for the lesion
    acceptable: bool = False  # there is a lesion that nobody has accepted
    edited: bool = False  # the lesion is another than the network drew

    regions: tuple[dict[str, Any], ...] = ()
    region: int | None = None
    part: int = 0  # of the chosen region, 0 for all of it
    choices: tuple[dict[str, str], ...] = ()  # key, source, share, change: outlines offered for the region or its part
    choosing: str = ""  # what they are of, one sentence; empty without a region
    choice: int | None = None  # the key of the one that is shown as a ghost
    no_choice: str = ""  # why none is offered, one sentence; empty when some are
    progress: str = ""
    applying: str = ""  # what a tool is doing to the lesion behind the reader's back, empty when nothing
    no_edit: str = ""  # why the tools change nothing at present, one sentence; empty when they do
    listing: bool = False  # whether the worklist of the result on screen is still being made
    explaining: bool = False  # whether reasons of the regions are still being computed

    healthy: str = "none"  # "working" while the images without the lesion are made, "ready" while they are shown
    healthy_words: str = ""  # how far that is, or what it is
    probing: str = "none"  # "working" while a synthetic tumor is made, "ready" while it is shown
    probing_words: str = ""  # how far that is, or whether the model found it
    no_probing: str = ""  # why there can be none, one sentence; empty where there can
    synthetic: str = ""  # what is on the screen while that is not the patient's, one sentence; empty while it is
    probes: tuple[dict[str, str], ...] = ()  # size, contrast, found, model: of the synthetic tumors so far
    legend: dict[str, Any] = field(default_factory=dict)
    outlines: tuple[dict[str, str], ...] = ()  # on screen: name, color
    layers: tuple[dict[str, Any], ...] = ()  # on screen from the lowest: name, low, high, unit, colors
    message: Message | None = None
    can_undo: bool = False
    can_redo: bool = False
    undo_words: str = ""  # what the next undo takes back, empty when there is nothing
    redo_words: str = ""
    unsaved: bool = False  # there are corrections that are in no saved scene
    question: str = ""  # what is asked before they would be dropped, empty when nothing is
    recovered: str = ""  # the offer of corrections that were kept of this case, empty when there are none
    steps: int = 0  # how many there are to undo

    def clear_results(self) -> None:
        """Nothing is fused, segmented or measured."""
        fresh = ViewState()
        for name in RESULTS:
            setattr(self, name, getattr(fresh, name))


RESULTS = (
    *("run", "run_words", "run_share", "run_seconds_left", "gates", "change", "fusion", "fusion_words", "legend"),
    *("numbers", "edited", "withheld", "accepted", "acceptable", "fusion_limits"),
)
