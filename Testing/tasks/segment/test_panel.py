"""Several networks read one case: the lesion is the first one's, the doubt is everybody's."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.errors import CancelledError, InputError
from DiffuFuseMedLib.engine.server.encodings import Encodings
from DiffuFuseMedLib.tasks.segment.calibrate import gather
from DiffuFuseMedLib.tasks.segment.diagnose import denoising
from DiffuFuseMedLib.tasks.segment.panel import draw_panel
from DiffuFuseMedLib.tasks.segment.predict import draw, labels_and_uncertainty, predict
from DiffuFuseMedLib.tasks.segment.sampling import onto_case
from DiffuFuseMedLib.tasks.segment.settings import NothingKept, Settings

FIVE = Settings(samples=5)


@pytest.fixture(scope="module")
def drawn(a_case, a_panel):
    return draw(a_case(), a_panel, FIVE)


def test_each_member_draws_its_share_and_the_first_one_more(a_case, a_panel, drawn):
    tiny, other = (draw(a_case(), m, Settings(samples=n)) for m, n in zip(a_panel.members, (3, 2), strict=True))
    assert drawn.grid == tiny.grid != other.grid
    np.testing.assert_array_equal(drawn.samples[:3], tiny.samples)
    np.testing.assert_array_equal(drawn.samples[3:], [onto_case(s, other.grid, tiny.grid) for s in other.samples])
    assert drawn.gates == tiny.gates


def test_the_lesion_is_the_first_members_and_the_doubt_is_everybodys(a_case, a_panel, panel_models):
    case = a_case()
    alone, both = (predict(case, m, FIVE) for m in (a_panel.members[0], a_panel))
    three = predict(case, a_panel.members[0], Settings(samples=3))
    np.testing.assert_array_equal(both.labels, three.labels)
    assert both.labels.any()
    assert not np.allclose(both.probability, three.probability)
    information = "mutual_information"
    assert both.uncertainty[information].mean() > 2 * alone.uncertainty[information].mean()
    assert len(both.samples) == 5


def test_the_lesion_may_be_that_of_several_together(a_case, a_panel, drawn):
    case = a_case()
    record = replace(a_panel.record, config={**a_panel.record.config, "deciding": 2})
    both = draw(case, replace(a_panel, record=record), FIVE)
    assert (drawn.deciding, both.deciding) == (3, 5)
    np.testing.assert_array_equal(both.samples, drawn.samples)
    lesion = labels_and_uncertainty(case, both)[0]
    np.testing.assert_array_equal(lesion, labels_and_uncertainty(case, replace(drawn, deciding=0))[0])
    assert (lesion != labels_and_uncertainty(case, drawn)[0]).any()


def test_of_the_members_that_are_asked_the_first_ones_decide(a_case, a_panel):
    members = (a_panel.members[1], a_panel.members[0])  # the first one knows no MR
    one = draw(a_case().only(["MR_T1"]), replace(a_panel, members=members), FIVE)
    assert one.deciding == 5 and [m["model"] for m in one.provenance["members"]] == ["tiny"]


@pytest.mark.parametrize("told", [0, 3, "two"])
def test_a_panel_in_which_nobody_can_decide_is_refused(a_case, a_panel, told):
    record = replace(a_panel.record, config={**a_panel.record.config, "deciding": told})
    with pytest.raises(InputError, match=f"in which {told} of 2 decide"):
        draw(a_case(), replace(a_panel, record=record), FIVE)


def test_where_all_together_say_otherwise_nothing_is_sure(a_case, drawn):
    case = a_case()
    doubt, own = (labels_and_uncertainty(case, d)[1] for d in (drawn, replace(drawn, deciding=0)))
    first, whole = (
        onto_case(p, drawn.grid, case.grid) > 0.5 for p in (drawn.samples[:3].mean(0), drawn.samples.mean(0))
    )
    otherwise = first != whole
    assert otherwise.any() and own[otherwise].any()
    assert not doubt[otherwise].any()
    np.testing.assert_array_equal(doubt[~otherwise], own[~otherwise])


def test_calibration_looks_at_the_samples_of_all_and_at_the_lesion_of_the_first(a_case, drawn):
    case = a_case()
    evidence = gather(case, drawn)
    assert len(evidence.samples_in_band) == 5
    volume_ml = np.count_nonzero(labels_and_uncertainty(case, drawn)[0]) * case.grid.voxel_mm3 / 1000
    assert evidence.volume_ml == pytest.approx(volume_ml)


def test_a_member_that_knows_none_of_the_modalities_is_not_asked_and_that_is_told(a_case, a_panel):
    drawn = draw(a_case().only(["MR_T1"]), a_panel, FIVE)
    assert [m["model"] for m in drawn.provenance["members"]] == ["tiny"]
    assert drawn.deciding == 5 and drawn.provenance["modalities"] == ["MR_T1"]
    told = "other of the panel was not asked, since it knows none of the case's modalities."
    assert drawn.provenance["notes"][-1] == told


def test_fewer_samples_than_networks_are_one_of_each_and_that_is_told(a_case, a_panel):
    drawn = draw(a_case(), a_panel, Settings(samples=1))
    assert len(drawn.samples) == 2 and drawn.deciding == 1
    assert drawn.provenance["notes"][-1] == "2 samples were drawn instead of 1: one by each network of the panel."


def test_a_case_that_no_member_knows_is_refused_in_the_first_ones_words(a_case, a_panel):
    with pytest.raises(InputError, match="at least one of CT, PET, MR_T1"):
        draw(a_case().only([]), a_panel, FIVE)


def test_provenance_is_the_panels_and_tells_of_each_member(a_panel, drawn):
    told = drawn.provenance
    assert (told["model"], told["sha256"], told["system"]) == ("panel", a_panel.record.sha256, "panel")
    assert told["samples"] == 5 and told["modalities"] == ["CT", "PET", "MR_T1"]
    assert [(m["model"], m["samples"], m["modalities"]) for m in told["members"]] == [
        ("tiny", 3, ["CT", "PET", "MR_T1"]),
        ("other", 2, ["CT", "PET"]),
    ]
    assert [m["sha256"] for m in told["members"]] == list(a_panel.record.members.values())


def test_an_option_reaches_the_members_that_have_it_and_no_other(a_case, a_panel, drawn):
    off = draw(a_case(), a_panel, replace(FIVE, options={"gating": False}))
    assert not np.array_equal(off.samples[:3], drawn.samples[:3])
    np.testing.assert_array_equal(off.samples[3:], drawn.samples[3:])
    with pytest.raises(InputError, match="the option 'gate' for the panel panel"):
        draw(a_case(), a_panel, replace(FIVE, options={"gate": False}))


def test_progress_grows_over_all_members_and_says_whose_sample_it_is(a_case, a_panel):
    heard = []
    draw(a_case(), a_panel, replace(FIVE, progress=lambda *said: heard.append(said)))
    shares = [share for share, _ in heard]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert (0.6, "other: sample 1 of 2") in [(round(share, 6), words) for share, words in heard]


def test_a_run_may_be_cancelled_in_any_member(a_case, a_panel):
    asked = []

    def second():
        return any("other" in words for words in asked)

    with pytest.raises(CancelledError):
        draw(a_case(), a_panel, replace(FIVE, progress=lambda _, words: asked.append(words), cancel=second))


def test_what_is_kept_between_runs_is_each_members_own(a_case, a_panel, drawn):
    keep = Encodings()
    for _ in range(2):
        again = draw(a_case(), a_panel, FIVE, keep)
        np.testing.assert_array_equal(again.samples, drawn.samples)
    assert keep.hits > 0


def test_two_networks_with_the_same_windows_do_not_take_each_others_encodings(a_case, a_panel):
    tiny = a_panel.members[0]
    torch.manual_seed(5)
    network = type(tiny.network)(tiny.network.config).eval()
    twin = replace(tiny, record=replace(tiny.record, id="twin"), network=network)
    case, pair = a_case(), replace(a_panel, members=(tiny, twin))
    np.testing.assert_array_equal(draw(case, pair, FIVE, Encodings()).samples, draw(case, pair, FIVE).samples)


def test_what_any_member_notes_is_told_with_its_name(a_case, a_panel, drawn):
    def noting(case, model, settings, keep):
        facts = {**drawn.provenance, "model": model.record.id, "notes": ["The window was cut."]}
        return replace(drawn, provenance=facts)

    notes = draw_panel(a_case(), a_panel, FIVE, NothingKept(), noting).provenance["notes"]
    assert notes == ["tiny: The window was cut.", "other: The window was cut."]


def test_how_well_it_denoises_is_asked_of_the_first(a_case, a_panel):
    assert denoising(a_case(), a_panel, 0) == denoising(a_case(), a_panel.members[0], 0) != {}
