"""Words of the panel that come from the session's keys, ready for translation."""

from __future__ import annotations

from slicer.i18n import tr as _

MODALITIES = {
    "CT": _("CT"),
    "PET": _("PET"),
    "MR_T1": _("MR T1"),
    "MR_T2": _("MR T2"),
    "MR_FLAIR": _("MR FLAIR"),
    "MR_T1C": _("MR T1 with contrast"),
    "SPECT": _("SPECT"),
}
MAPS = {
    "predictive_entropy": _("all (predictive entropy)"),
    "expected_entropy": _("images (expected entropy)"),
    "mutual_information": _("model (mutual information)"),
    "fusion": _("fusion (gray value off)"),
}
MAP_WORDS = {
    "predictive_entropy": _("How open it is whether a voxel is lesion, whatever the reason."),
    "expected_entropy": _("The part that comes from the images: no further sample would settle it."),
    "mutual_information": _("The part that comes from the model: its samples disagree, more data could settle it."),
    "fusion": _("Probability that the fused gray value is off by more than a tenth of its range."),
}
COMPARE = {"off": _("off"), "swipe": _("swipe"), "checkerboard": _("checkerboard")}
REGISTER = {"auto": _("automatic"), "always": _("always"), "never": _("never")}
DEVICES = {"auto": _("automatic"), "cpu": _("CPU"), "cuda": _("GPU")}


def picture(key: str) -> str:
    """What a layer shows, by its role."""
    return {"": _("nothing"), "fused": _("fused picture")}.get(key) or MODALITIES.get(key, key)
