import pytest
from DiffuFuseMedLib.session import export_reasons as reasons
from DiffuFuseMedLib.session.view_state import ViewState

ROW = {"label": "Volume", "value": "1 mL", "range": ""}


@pytest.fixture
def ready():
    """A view state with a result and a fused volume, both of the present settings."""
    return ViewState(modalities=("CT",), numbers=(ROW,), run="ready", fusion="ready")


def test_all_can_leave_when_all_is_finished_and_nothing_is_noted(ready):
    reasons.judge(ready)
    assert set(ready.no_export.values()) == {""} and ready.export_notes == ()


def test_before_a_run_only_the_fused_volume_can(ready):
    ready.numbers = ()
    reasons.judge(ready)
    assert {kind for kind, why in ready.no_export.items() if not why} == {"fused.nrrd"}
    assert ready.export_notes == (reasons.NO_LESION,)


def test_a_volume_that_refines_holds_itself_back_and_makes_a_report_preliminary(ready):
    ready.fusion = "working"
    reasons.judge(ready)
    assert [kind for kind, why in ready.no_export.items() if why] == ["fused.nrrd"]
    assert ready.export_notes == (reasons.WITHOUT_FUSION, reasons.REFINING)
    ready.fusion = "stale"
    assert reasons.why_not("fused.nrrd", ready) == reasons.NOT_CURRENT
    ready.fusion = "none"
    assert "takes a CT and an MR" in reasons.why_not("fused.nrrd", ready)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"run": "working"}, reasons.RUNNING), ({"applying": "applying the threshold"}, reasons.APPLYING)],
)
def test_a_lesion_that_is_being_made_or_edited_waits(ready, change, sentence):
    for name, value in change.items():
        setattr(ready, name, value)
    assert {reasons.why_not(kind, ready) for kind in reasons.KINDS if kind != reasons.FUSED} == {sentence}
    assert reasons.why_not(reasons.FUSED, ready) == ""


def test_a_report_waits_for_its_worklist_and_says_what_is_still_looked_for(ready):
    ready.listing = True
    assert reasons.why_not("report.html", ready) == reasons.LISTING and reasons.why_not("nii.gz", ready) == ""
    ready.listing, ready.explaining = False, True
    assert reasons.note("report.html", ready) == reasons.WITHOUT_REASONS
    ready.run = "stale"
    assert reasons.note("nii.gz", ready) == reasons.OTHER_SETTINGS
