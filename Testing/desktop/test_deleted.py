"""Whatever the reader deletes in Slicer's data module, the layers are drawn on and the next run makes it again."""

import pytest

LAYERS = ("show_band", "show_lesion", "show_uncertainty")


@pytest.mark.parametrize("gone", ["contours", "probability", "fused"])
def test_a_result_that_was_deleted_is_missed_by_nothing_that_is_drawn(segmented, role, until, gone):
    import slicer

    session = segmented.workspace.session
    slicer.mrmlScene.RemoveNode(role(gone))
    for layer in LAYERS:
        session.set(**{layer: False})
        session.set(**{layer: True})
    session.set(lesion_opacity=0.5)
    assert "Traceback" not in segmented.ui.messageLabel.text
    segmented.ui.runButton.click()
    until(lambda: segmented.ui.runStateLabel.text.startswith("done") and role(gone) is not None)
    assert role("lesion") is not None
