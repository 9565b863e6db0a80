"""KEEP: the scene and what leaves it, each with its provenance."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from .parts import button, row, section

IN_DICOM = (
    ("DICOM SEG", "seg.dcm", "Segmentation as a DICOM object beside its series"),
    ("RTSTRUCT", "rtstruct.dcm", "Contours as a DICOM object beside its series, for radiotherapy planning"),
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
            button(
                "SEG",
                (actions.export, "['seg.nrrd']"),
                "Segmentation with colors and terminology (.seg.nrrd)",
                disabled=("!s_regions.length",),
            )
            button(
                "NIfTI",
                (actions.export, "['nii.gz']"),
                "Segmentation as a label map (.nii.gz)",
                disabled=("!s_regions.length",),
            )
            for title, kind, tip in IN_DICOM:
                button(
                    title,
                    (actions.export, f"['{kind}']"),
                    f"{{{{ s_no_dicom || '{tip}' }}}}",
                    disabled=("!s_regions.length",),
                )
            button(
                "Fused",
                (actions.export, "['fused.nrrd']"),
                "The fused volume (.nrrd)",
                disabled=("s_fusion !== 'ready'",),
            )
            button(
                "Report",
                (actions.export, "['report.html']"),
                "One page with pictures and numbers",
                disabled=("!s_regions.length",),
            )
        with html.Div(v_if="s_saving", classes="working", id="saving", raw_attrs=['role="status"']):
            v3.VProgressLinear(indeterminate=True, color="primary")
            html.Span("{{ s_saving }}")
