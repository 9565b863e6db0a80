"""KEEP: the scene and what leaves it, each with its provenance."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from .parts import button, row, section

EXPORTS = (
    ("SEG", "seg.nrrd", "Segmentation with colors and terminology (.seg.nrrd)"),
    ("NIfTI", "nii.gz", "Segmentation as a label map (.nii.gz)"),
    ("DICOM SEG", "seg.dcm", "Segmentation as a DICOM object beside its series"),
    ("RTSTRUCT", "rtstruct.dcm", "Contours as a DICOM object beside its series, for radiotherapy planning"),
    ("Fused", "fused.nrrd", "The fused volume (.nrrd)"),
    ("Report", "report.html", "One page with pictures and numbers"),
)


def persistence_section(actions: Any) -> None:
    with section("keep", "Keep"):
        with row():
            button(
                "Save scene",
                actions.save_scene,
                "Everything in one .mrb, which desktop Slicer opens too (Ctrl+S)",
                disabled=("!s_modalities.length",),
                id="save-scene",
            )
            button("Open scene", "scene_dialog = true", "Bring back a saved scene", id="open-scene")
        with row(v_if="s_modalities.length"):
            for title, kind, tip in EXPORTS:
                button(
                    title,
                    (actions.export, f"['{kind}']"),
                    f"{{{{ s_no_dicom || '{tip}' }}}}" if kind.endswith(".dcm") else tip,
                    disabled=(f"!!s_no_export['{kind}']",),
                )
        with html.Div(v_if="s_modalities.length", id="export-notes", raw_attrs=['role="status"']):
            html.P("{{ note }}", v_for="note in s_export_notes", key="note", classes="small")
        with html.Div(v_if="s_saving", classes="working", id="saving", raw_attrs=['role="status"']):
            v3.VProgressLinear(indeterminate=True, color="primary")
            html.Span("{{ s_saving }}")
