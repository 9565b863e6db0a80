"""The reading story through the module's widgets, against Slicer's API only.

In Slicer: Slicer --python-script Testing/desktop/ui_story.py
It is also the module's self test, and runs in the stand-in of Testing/host (test_ui_story.py).
Every step does what a hand does and then looks at widgets and nodes; the first that fails raises.
"""

import logging
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import slicer

ROLE = "DiffuFuseMed.role"
SAMPLES = 2
log = logging.getLogger("ui_story")


def what_is_missing():
    """Why the story cannot be told in this Slicer, in the panel's words; empty when it can."""
    story = Story(None)
    story.wait("the engine's Python", lambda: story.widget.workspace.panel.found is not None, 60)
    return "" if story.widget.workspace.panel.found.ready else story.ui.bannerLabel.text


def run(case_folder=None, prepare=None):
    """The whole story; returns seconds by step. case_folder: STS_010, found beside the module when not given;
    prepare(story): called before the first step."""
    story = Story(case_folder)
    if prepare:
        prepare(story)
    with tempfile.TemporaryDirectory(prefix="story-") as folder:
        story.folder = Path(folder)
        for step in STEPS:
            start = time.monotonic()
            step(story)
            story.seconds[step.__name__] = round(time.monotonic() - start, 1)
            log.info("%s: %.1f s", step.__name__, story.seconds[step.__name__])
    return story.seconds


class Story:
    """The module's panel and what the steps tell each other."""

    def __init__(self, case_folder):
        if slicer.util.mainWindow():
            slicer.util.selectModule("DiffuFuseMed")
        self.widget = slicer.modules.diffufusemed.widgetRepresentation().self()
        self.widget.enter()  # nobody has, without a main window; again is none
        self.ui = self.widget.ui
        self.editor = self.widget.workspace.editor.widget
        self.case_folder = Path(case_folder or self.widget.resourcePath("SampleData/STS_010"))
        self.folder = None
        self.seconds = {}
        self.kept = {}

    def wait(self, what, until, seconds=300):
        """Let Slicer work until it is so."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come within {seconds} s; message: {self.ui.messageLabel.text}")
            slicer.app.processEvents()
            time.sleep(0.005)

    def node(self, role):
        """The scene's node of a role; None when there is none."""
        nodes = slicer.util.getNodesByClass("vtkMRMLDisplayableNode")
        return next((node for node in nodes if node.GetAttribute(ROLE) == role), None)

    def array(self, role):
        return slicer.util.arrayFromVolume(self.node(role))

    def lesion(self):
        """bool [k, j, i] on the reference's grid."""
        mask = slicer.util.arrayFromSegmentBinaryLabelmap(self.node("lesion"), "lesion", self.node("CT"))
        return mask > 0

    def volume_ml(self):
        """By its voxels: what the table says once they are counted."""
        return self.lesion().sum() * np.prod(self.node("CT").GetSpacing()) / 1000

    def number(self, label):
        """A value of the table of numbers."""
        table = self.ui.numbersTable
        for row in range(table.rowCount):
            if table.item(row, 0).text() == label:
                return float(table.item(row, 1).text().split()[0])
        raise AssertionError(f"the table has no {label}")

    def composites(self):
        return slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")

    def click(self, button):
        widget = getattr(self.ui, button)
        check(widget.enabled, f"{button} is enabled")
        widget.click()


def check(holds, what):
    if not holds:
        raise AssertionError(f"not so: {what}")


def open_the_case(story):
    """Volumes loaded as a reader does; roles are guessed from their names."""
    story.wait("the engine's Python", lambda: story.widget.workspace.panel.found is not None, 60)
    check(story.widget.workspace.panel.found.ready, "the engine's Python has what it needs")
    for name in ("CT", "PET", "MR_T1"):
        slicer.util.loadVolume(
            str(story.case_folder / f"{name}.nii.gz"), {"name": f"STS_010 {name.replace('MR_', '')}"}
        )
    story.click("guessButton")
    names = [getattr(story.ui, f"{key}Selector").currentNode().GetName() for key in ("CT", "PET", "MR_T1")]
    check(names == ["STS_010 CT", "STS_010 PET", "STS_010 T1"], f"roles are guessed, not {names}")


def align_it(story):
    story.click("openButton")
    story.wait("the aligned case", lambda: story.node("MR_T1") is not None)
    story.wait("the alignment's words", lambda: "overlap" in story.ui.alignmentLabel.text, 10)
    check("on the grid of CT" in story.ui.alignmentLabel.text, "the CT is the reference")
    check(story.array("PET").shape == story.array("CT").shape, "the PET is on the grid of the CT")


def see_it_fused(story):
    story.wait("the fused volume", lambda: story.ui.fusionStateLabel.text.startswith("fused"))
    check(story.array("fused").max() > 0.5, "the fused picture is not empty")
    fused = story.node("fused").GetID()
    check(all(node.GetBackgroundVolumeID() == fused for node in story.composites()), "every view shows it")


def drag_the_sliders(story):
    for slider in (story.ui.alphaSlider, story.ui.betaSlider, story.ui.gammaSlider):
        before = story.array("fused").copy()
        for value in np.linspace(slider.value, 0.95 if slider.value < 0.5 else 0.05, 6):
            slider.value = float(value)
            slicer.app.processEvents()
        story.wait("another picture", lambda before=before: not np.array_equal(before, story.array("fused")), 60)
    check(story.ui.presetCombo.currentText == "custom", "the sliders left their preset")
    story.wait("the volume behind it", lambda: story.ui.fusionStateLabel.text.startswith("fused"))


def undo_and_reset(story):
    story.kept["gamma"] = story.ui.gammaSlider.value
    story.click("undoButton")
    story.wait("the slider before", lambda: story.ui.gammaSlider.value != story.kept["gamma"], 5)
    story.click("redoButton")
    story.wait("the slider after", lambda: abs(story.ui.gammaSlider.value - story.kept["gamma"]) < 0.02, 5)


def compare_before_and_after(story):
    composite, fused = story.composites()[0], story.node("fused").GetID()
    story.ui.beforeButton.setDown(True)
    story.ui.beforeButton.pressed()
    check(composite.GetBackgroundVolumeID() == story.node("CT").GetID(), "held: the picture that is not fused")
    story.ui.beforeButton.released()
    story.ui.beforeButton.setDown(False)
    check(composite.GetBackgroundVolumeID() == fused, "let go: the fused picture")


def cancel_in_the_middle(story):
    story.ui.samplesSpin.value = 8
    story.click("runButton")
    story.wait("progress", lambda: story.ui.runProgress.value > 0)
    story.click("cancelButton")
    story.wait("the end of it", lambda: story.ui.runStateLabel.text == "cancelled")
    check(story.node("lesion") is None, "a cancelled run leaves nothing")
    check(story.ui.runButton.enabled, "another run can be started")


def run_it(story):
    story.ui.samplesSpin.value = SAMPLES
    story.click("runButton")
    story.wait("the result", lambda: story.ui.runStateLabel.text.startswith("done"))
    story.wait("the numbers", lambda: story.ui.numbersTable.rowCount > 0, 10)
    check(50 < story.number("Volume") < 500, "the volume is plausible")
    check(10 < story.number("SUVmax") < 13, "SUVmax is that of the lesion")  # 11.7 in the expert's contour
    check(all(node.GetNumberOfAdditionalLayers() == 1 for node in story.composites()), "the uncertainty lies above")
    check(story.ui.legendHighLabel.text.endswith("nat"), "the legend has its unit")
    gates = [story.widget.workspace.sections["modalities"].rows[key][1].value for key in ("CT", "PET", "MR_T1")]
    check(max(gates) > 0, "the gates are shown")


def switch_a_modality(story):
    before = story.lesion()
    check_box = story.widget.workspace.sections["modalities"].rows["PET"][0]
    check_box.click()
    story.wait("the run without PET", lambda: "without PET" in story.ui.changeLabel.text)
    check((story.lesion() != before).any(), "the lesion follows")
    check_box.click()
    story.wait("the run with all", lambda: "with all modalities" in story.ui.changeLabel.text)
    check((story.lesion() == before).mean() > 0.999, "the same seed gives the same lesion")


def walk_the_worklist(story):
    story.wait("the worklist", lambda: story.ui.worklistTable.rowCount > 0)
    story.wait("the reasons", lambda: "finding" not in story.ui.progressLabel.text)
    offsets = [node.GetSliceToRAS().GetElement(2, 3) for node in slicer.util.getNodesByClass("vtkMRMLSliceNode")]
    story.click("nextButton")
    story.wait("the chosen row", lambda: story.ui.worklistTable.currentRow() == 0, 5)
    now = [node.GetSliceToRAS().GetElement(2, 3) for node in slicer.util.getNodesByClass("vtkMRMLSliceNode")]
    check(now != offsets, "the views jump there")
    check(story.ui.acceptButton.enabled, "a decision can be made")


def correct_inside_the_region(story):
    """A tool that would change the whole lesion changes the chosen region alone, and its undo brings it back."""
    before = story.kept["before the edit"] = story.lesion()
    story.editor.setActiveEffectByName("Margin")
    effect = story.editor.activeEffect()
    effect.setParameter("MarginSizeMm", "6")
    effect.self().onApply()
    after = story.kept["after the edit"] = story.lesion()
    changed = after != before
    check(changed.any(), "something changed")
    outside = slicer.util.arrayFromSegmentBinaryLabelmap(story.node("lesion"), "DiffuFuseMed.outside", story.node("CT"))
    check(not (changed & (outside > 0)).any(), "nothing outside the region changed")
    check((outside > 0).any(), "there is an outside")


def undo_the_edit(story):
    story.wait("the step to undo", lambda: story.ui.undoButton.enabled, 5)
    story.click("undoButton")
    check((story.lesion() == story.kept["before the edit"]).all(), "undo brings the lesion back in one step")
    story.wait("the step to redo", lambda: story.ui.redoButton.enabled, 5)
    story.click("redoButton")
    check((story.lesion() == story.kept["after the edit"]).all(), "redo does it again")
    story.editor.setActiveEffect(None)


def accept_it(story):
    story.wait("the edit's words", lambda: "Corrected by hand" in story.ui.editedLabel.text, 10)
    story.click("acceptButton")
    story.wait("the state", lambda: story.ui.worklistTable.item(0, 3).text().startswith("corrected"), 10)
    check("1 of" in story.ui.progressLabel.text, "progress counts it")


def save_the_scene(story):
    story.kept["lesion"], story.kept["alpha"] = story.lesion(), story.ui.alphaSlider.value
    story.wait("the numbers of the corrected lesion", lambda: abs(story.number("Volume") - story.volume_ml()) < 0.1, 10)
    story.kept["volume"] = story.number("Volume")
    story.wait("a quiet fusion", lambda: story.ui.fusionStateLabel.text.startswith("fused"))
    story.kept["fused"] = story.array("fused").copy()
    end = time.monotonic() + 1.0  # the record of the case is written soon after the last change
    story.wait("the record", lambda: time.monotonic() > end)
    check(slicer.util.saveScene(str(story.folder / "story.mrb")), "the scene was saved")


def close_it(story):
    slicer.mrmlScene.Clear(False)
    story.wait("an empty panel", lambda: story.ui.alignmentLabel.text == "No case is open.", 10)
    check(story.ui.worklistTable.rowCount == 0, "the worklist is empty")
    check(story.ui.numbersTable.rowCount == 0, "no number is left")


def load_it(story):
    slicer.util.loadScene(str(story.folder / "story.mrb"))
    story.wait("the case", lambda: "overlap" in story.ui.alignmentLabel.text, 30)
    check((story.lesion() == story.kept["lesion"]).all(), "the corrected lesion is back")
    check(abs(story.ui.alphaSlider.value - story.kept["alpha"]) < 0.011, "the sliders are back")
    check(np.allclose(story.array("fused"), story.kept["fused"]), "the fused picture is back")
    story.wait("the numbers", lambda: story.ui.numbersTable.rowCount > 0, 10)
    volume, kept = story.number("Volume"), story.kept["volume"]
    check(volume == kept, f"the volume is the same: {volume} mL, {kept} mL when it was saved")
    story.wait("the worklist", lambda: story.ui.worklistTable.rowCount > 0, 10)
    check(story.ui.worklistTable.item(0, 3).text().startswith("corrected"), "the decision is kept")


def go_on(story):
    """Fusion and segmentation answer after loading."""
    before = story.array("fused").copy()
    story.ui.betaSlider.value = 0.5 if story.ui.betaSlider.value > 0.7 else 0.9
    story.wait("another picture", lambda: not np.array_equal(before, story.array("fused")), 60)
    story.click("runButton")
    story.wait("the result", lambda: story.ui.runStateLabel.text.startswith("done"))
    story.wait("the worklist", lambda: story.ui.worklistTable.rowCount > 0, 10)


STEPS = (
    open_the_case,
    align_it,
    see_it_fused,
    drag_the_sliders,
    undo_and_reset,
    compare_before_and_after,
    cancel_in_the_middle,
    run_it,
    switch_a_modality,
    walk_the_worklist,
    correct_inside_the_region,
    undo_the_edit,
    accept_it,
    save_the_scene,
    close_it,
    load_it,
    go_on,
)


if __name__ == "__main__":  # slicer --python-script
    logging.basicConfig(level=logging.INFO)
    try:
        run()
        code = slicer.util.EXIT_SUCCESS if hasattr(slicer.util, "EXIT_SUCCESS") else 0
    except Exception:
        logging.exception("The story ended early")
        code = 1
    slicer.util.exit(code) if hasattr(slicer.util, "exit") else sys.exit(code)
