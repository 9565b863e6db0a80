"""Fusion over pairs and cases: conditions, misregistration, rows, means, lesions. The networks are small and untrained:
what is tested is what is given to them and how their picture is judged."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.picture_pairs import read_gray, read_picture
from DiffuFuseMedLib.metrics.fusion import score_pair
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.tasks.fuse import Fuser, FusionSettings
from DiffuFuseMedLib.tasks.fuse.evaluate import (
    AIMS,
    CaseSubject,
    Mean,
    ablations,
    aims,
    case_folders,
    evaluate,
    groups,
    main_condition,
    mean_rows,
    picture_subjects,
    seen_in_training,
    sweep,
)
from DiffuFuseMedLib.tasks.fuse.evaluate.inputs import masks_of, misplaced
from DiffuFuseMedLib.tasks.fuse.evaluate.lesions import lesion_scores
from DiffuFuseMedLib.tasks.fuse.evaluate.misregistration import moved, shift_of, warped

SETTINGS = FusionSettings(samples=1)
MAIN = main_condition(SETTINGS)
TRIVIAL = ["average", "maximum", "mri copy", "ct copy", "roi copy", "0.85/0.15 roi blend", "laplacian pyramid"]


@pytest.fixture(scope="module")
def fuser(fusion_models):
    student, teacher = (zoo.load(f"clin-fusediff-{name}", folder=fusion_models) for name in ("student", "teacher"))
    trained = replace(student.record, training={"trained_on": ["CT-MRI 20", "SPECT-MRI 20", "STS_003"]})
    return Fuser(replace(student, record=trained), teacher)


@pytest.fixture(scope="module")
def a_thin_case(a_real_folder, tmp_path_factory, write_case):
    """Four slices of the real case through its lesion."""
    case = load_case(a_real_folder).cropped((14, 0, 0), (18, 42, 53))
    return write_case(case, tmp_path_factory.mktemp("thin") / "STS_010")


@pytest.fixture(scope="module")
def of_pairs(fuser, a_pairs_folder, tmp_path_factory):
    """Everything evaluated as registered and moved by 5 mm, the pictures saved."""
    out = tmp_path_factory.mktemp("saved")
    done = evaluate(fuser, picture_subjects(a_pairs_folder, ["33", "41"]), [MAIN, sweep(MAIN)[-1]], save=out)
    return done, out


def row_of(rows, **facts):
    (row,) = [row for row in rows if all(row[k] == v for k, v in facts.items())]
    return row


def test_every_picture_has_a_row_for_each_method_and_condition(of_pairs):
    done, _ = of_pairs
    assert not done.notes
    assert len(done.rows) == 2 * 8 * 2
    first = done.rows[:8]
    assert [row["method"] for row in first] == ["fused", *TRIVIAL]
    assert {(row["kind"], row["case"], row["series"]) for row in first} == {("CT-MRI", "33001", "33")}
    assert "tracer_in_soft" in row_of(done.rows, case="41007", method="fused", part="main")
    assert "bone_psnr_ct" not in row_of(done.rows, case="41007", method="fused", part="main")


def test_the_saved_picture_is_the_one_that_was_scored(of_pairs, a_pairs_folder):
    done, out = of_pairs
    row = row_of(done.rows, case="33001", method="fused", part="main")
    subject = picture_subjects(a_pairs_folder, ["33"])[0]
    fused = 255 * read_gray(out / "CT" / "33001.png")
    again = score_pair(fused, 255 * subject.pair.other, 255 * subject.pair.mri, subject.scoring)
    for column in ("soft_ssim_mri", "Qabf", "SCD", "SD"):
        assert row[column] == pytest.approx(again[column], rel=0.02), column
    mean = row_of(done.rows, case="33001", method="average", part="main")
    assert row["Qabf"] != pytest.approx(mean["Qabf"], rel=0.02)


def test_a_tracer_keeps_its_chroma_over_the_fused_luminance(of_pairs):
    _, out = of_pairs
    gray, color = read_picture(out / "SPECT" / "41007.png"), read_picture(out / "color" / "SPECT" / "41007.png")
    assert (gray.ndim, color.shape) == (2, (*gray.shape, 3))
    unclipped = (color > 0.02).all(-1) & (color < 0.98).all(-1)
    assert unclipped.any()
    np.testing.assert_allclose((color @ [0.299, 0.587, 0.114])[unclipped], gray[unclipped], atol=0.01)
    assert not (out / "color" / "CT").exists()


def test_misregistration_is_scored_against_the_sources_where_they_were(of_pairs):
    done, _ = of_pairs
    of = lambda case, method: [  # noqa: E731
        row_of(done.rows, case=case, method=method, part=part) for part in ("main", "sweep")
    ]
    still, shifted = of("41007", "mri copy")  # a picture of a leg has no brain; the tracer's soft region is its uptake
    assert still["soft_ssim_mri"] == pytest.approx(1)
    assert shifted["soft_ssim_mri"] < 0.8
    still, shifted = of("33001", "mri copy")
    assert shifted["VIF"] < 0.9 * still["VIF"]
    still, shifted = of("33001", "ct copy")
    assert {c: v for c, v in shifted.items() if c not in ("part", "condition")} == pytest.approx(
        {c: v for c, v in still.items() if c not in ("part", "condition")}, nan_ok=True
    )


def test_the_move_has_the_length_asked_for_in_a_direction_of_the_pictures_own():
    for name in ("20001", "20002"):
        rows, columns = shift_of(name, 0, 3.0, (0.5, 1.5))
        assert np.hypot(rows * 0.5, columns * 1.5) == pytest.approx(3)
    assert shift_of("33001", 0, 3.0, (1, 1)) == shift_of("33001", 0, 3.0, (1, 1))
    assert shift_of("33001", 0, 3.0, (1, 1)) != shift_of("20002", 0, 3.0, (1, 1))
    assert shift_of("33001", 0, 3.0, (1, 1)) != shift_of("33001", 1, 3.0, (1, 1))
    ramp = np.tile(np.arange(10.0), (2, 6, 1))
    np.testing.assert_allclose(moved(ramp, (1.0, 2.0))[:, 2:, 3:], ramp[:, 2:, 3:] - 2)


def test_a_warp_bends_by_no_more_than_its_amplitude():
    ramp = np.tile(np.arange(64.0), (2, 64, 1))
    bent = warped(ramp, 3.0, "20001", 0) - ramp
    assert 1 < np.abs(bent).max() <= 3
    np.testing.assert_array_equal(bent[0], bent[1])
    assert np.abs(np.diff(bent[0, 4:-4, 4:-4], axis=1)).max() < 0.9  # smooth: no tear, no fold
    np.testing.assert_array_equal(warped(ramp, 0.0, "20001", 0), ramp)


def test_a_moved_mask_stays_a_mask():
    mask = np.zeros((1, 20, 20), bool)
    mask[:, 5:15, 5:15] = True
    given = misplaced(mask, replace(MAIN, shift_mm=3.0), "a", (1.0, 1.0))
    assert given.dtype == bool
    assert given.sum() == pytest.approx(100, abs=20)
    assert (given != mask).any()


def test_the_ablations_are_those_of_the_paper_and_change_one_thing_each():
    rows = {c.name: c for c in ablations(MAIN)}
    assert len(rows) == 2 + 9 + 1 + 3 + 3 + 3
    zero = rows["no ROI guidance: sliders at 0"].settings
    assert (zero.alpha, zero.beta, zero.gamma) == (0, 0, 0)
    assert rows["beta 0.5"].settings == replace(SETTINGS, beta=0.5)
    assert (rows["gamma 1, lesion given"].settings.gamma, rows["gamma 1, lesion given"].lesion) == (1, True)
    assert rows["no ROI guidance: empty masks"] == replace(
        MAIN, name="no ROI guidance: empty masks", part="ablations", masks="none", trivial=False
    )
    assert [c.settings.steps for name, c in rows.items() if name.endswith(("step", " steps"))] == [1, 2, 4]
    assert [c.warp_px for name, c in rows.items() if "jitter" in name] == [0, 1.5, 3]
    guided = [c for c in rows.values() if c.settings.guided]
    assert [c.settings.modulated for c in guided] == [True, False]
    assert all(c.few for c in guided)


def test_the_model_is_given_the_masks_of_the_condition(fuser, a_thin_case):
    subject = CaseSubject(a_thin_case)
    subject.prepare(fuser, MAIN)
    automatic, scoring, lesion = subject.opened.rois, subject.scoring, subject.lesion
    assert automatic.bone.sum() != scoring.bone.sum()
    given = lambda **changes: masks_of(replace(MAIN, **changes), automatic, scoring, lesion)  # noqa: E731
    assert given() is automatic
    assert given(masks="scoring") is scoring
    nothing = given(masks="none", lesion=True)
    assert not (nothing.soft | nothing.bone | nothing.lesion).any()
    np.testing.assert_array_equal(given(lesion=True).lesion, lesion)
    assert not automatic.lesion.any()
    assert "thresholds" in scoring.source["bone"]


def test_few_pictures_means_few(fuser, a_pairs_folder):
    slow = replace(MAIN, name="slow", few=True, trivial=False)
    fast = replace(MAIN, trivial=False)
    done = evaluate(fuser, picture_subjects(a_pairs_folder, ["20", "33"]), [fast, slow], few=2)
    assert [row["case"] for row in done.rows if row["condition"] == "slow"] == ["20001", "20002"]
    assert len(done.rows) == 5


def test_the_guided_teacher_and_its_modulation_make_other_pictures(fuser, a_pairs_folder):
    wanted = [MAIN, *(c for c in ablations(MAIN) if c.few)]
    done = evaluate(fuser, picture_subjects(a_pairs_folder, ["33"]), [replace(c, trivial=False) for c in wanted], few=1)
    main, student, guided, plain = (row["SD"] for row in done.rows)
    assert student == pytest.approx(main)
    assert len({round(x, 4) for x in (student, guided, plain)}) == 3


def test_a_case_is_scored_with_its_lesion_and_flicker_and_saved_on_its_grid(fuser, a_thin_case, tmp_path):
    plain = replace(MAIN, trivial=False)
    some = [c for c in ablations(MAIN) if c.name in ("few pictures: student", "gamma 1, lesion given")]
    done = evaluate(fuser, [CaseSubject(a_thin_case)], [plain, sweep(MAIN)[4], *some], few=2, save=tmp_path)
    fused = row_of(done.rows, condition="as registered")
    assert {"lesion_dice", "lesion_nsd_2mm", "lesion_hd95_mm", "flicker_axial", "bone_ssim_ct", "VIF"} < set(fused)
    assert 0 <= fused["lesion_dice"] <= 1
    moved_rows = [row for row in done.rows if row["part"] == "sweep"]
    assert [row["method"] for row in moved_rows] == ["fused", *TRIVIAL]
    assert row_of(moved_rows, method="mri copy")["soft_ssim_mri"] < 0.98
    assert all("lesion_dice" in row for row in moved_rows)
    assert len([row for row in done.rows if row["condition"] == "few pictures: student"]) == 1
    image = sitk.ReadImage(str(tmp_path / "STS_010.nrrd"))
    assert image.GetSize() == sitk.ReadImage(str(a_thin_case / "CT.nii.gz")).GetSize()


def test_the_lesion_is_sought_with_the_head_that_never_guided(fuser, monkeypatch):
    heads = []

    def found(fused, head="guide"):
        heads.append(head)
        return (fused > 0.5).float()

    monkeypatch.setattr(fuser.teacher.network, "lesion", found)
    reference = np.zeros((4, 20, 30), bool)
    reference[1:3, 5:15, 5:15] = True
    fused = np.where(reference, 0.9, 0.1).astype(np.float32)
    assert lesion_scores(fuser, fused, reference, (3, 1, 1)) == {
        "lesion_dice": 1, "lesion_nsd_2mm": 1, "lesion_hd95_mm": 0
    }  # fmt: skip
    assert lesion_scores(fuser, 0 * fused, reference, (3, 1, 1))["lesion_dice"] == 0
    fused[0] = 0.9  # where the reference has nothing, nothing is asked
    assert lesion_scores(fuser, fused, reference, (3, 1, 1))["lesion_dice"] == 1
    assert set(heads) == {"score"}
    assert lesion_scores(fuser, fused, None, (3, 1, 1)) == {}


def test_means_resample_series_and_come_with_their_interval():
    facts = {"kind": "CT-MRI", "part": "main", "condition": "c", "method": "fused"}
    values = (("a", 1.0), ("a", 2.0), ("b", 6.0))
    rows = [{**facts, "case": str(n), "series": s, "Qabf": v} for n, (s, v) in enumerate(values)]
    (group,) = groups(rows)
    assert group.means["Qabf"] == Mean(3.0, 1.5, 6.0, 3)
    lines = mean_rows([group])
    assert [(line["case"], line["series"], line["Qabf"]) for line in lines] == [
        ("mean", "of 3", 3.0), ("low 95 %", "of 3", 1.5), ("high 95 %", "of 3", 6.0)
    ]  # fmt: skip


def test_an_aim_is_met_above_it_only_and_missed_when_unknown():
    at = {column: Mean(aim, aim, aim, 1) for column, aim in AIMS.items()}
    assert not any(met for _, _, met in aims(at).values())
    above = {**at, "SCD": Mean(1.547, 1, 2, 1)}
    assert [column for column, (_, _, met) in aims(above).items() if met] == ["SCD"]
    assert not aims({})["Qabf"][2]


def test_says_which_series_were_in_the_training(fuser, a_pairs_folder):
    assert seen_in_training(fuser, picture_subjects(a_pairs_folder)) == ["CT-MRI 20"]


def test_what_cannot_be_used_is_left_out_and_said(fuser, a_pairs_folder):
    subjects = picture_subjects(a_pairs_folder, ["33"])
    damaged = [replace(s.files, mri=Path("nowhere.png"), name="gone") for s in subjects]
    others = [type(subjects[0])(files) for files in damaged]
    done = evaluate(fuser, [*others, *subjects], [replace(MAIN, trivial=False)])
    assert len(done.rows) == 1
    assert len(done.notes) == 1
    assert done.notes[0].startswith("gone was left out. Given nowhere.png, which cannot be read")
    with pytest.raises(InputError, match=r"nothing that can be fused.*gone was left out"):
        evaluate(fuser, others, [MAIN])


def test_a_case_without_an_mr_is_left_out(fuser, a_thin_case, tmp_path):
    sitk.WriteImage(sitk.ReadImage(str(a_thin_case / "CT.nii.gz")), str(tmp_path / "CT.nii.gz"))
    with pytest.raises(InputError, match="with CT, wanted a CT and an MR"):
        evaluate(fuser, [CaseSubject(tmp_path)], [MAIN])


def test_finds_one_case_or_many_and_refuses_series_that_are_not_there(a_thin_case, a_pairs_folder, tmp_path):
    assert case_folders(a_thin_case) == [a_thin_case]
    assert case_folders(a_thin_case.parent) == [a_thin_case]
    with pytest.raises(InputError, match=r"the series 'STS_011', wanted some of those there \(STS_010\)"):
        case_folders(a_thin_case.parent, ["STS_011"])
    with pytest.raises(InputError, match=r"the series '99', wanted some of those there \(20, 33, 41\)"):
        picture_subjects(a_pairs_folder, ["99"])
    with pytest.raises(InputError, match="neither pairs nor cases"):
        case_folders(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        case_folders(tmp_path / "nowhere")
