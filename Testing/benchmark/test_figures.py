"""Each figure against made-up scores: what is drawn, read back from its axes."""

import numpy as np
import pytest
from DiffuFuseMedLib.benchmark import figures, sheet_figure
from DiffuFuseMedLib.benchmark.drawing import png
from DiffuFuseMedLib.benchmark.jobs import Done, Job
from DiffuFuseMedLib.benchmark.sheets import PANELS, _packed

CASES = ("a", "b")


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were made into a PNG."""
    made = []

    def kept(figure):
        made.append(figure)
        return png(figure)

    for module in (figures, sheet_figure):
        monkeypatch.setattr(module, "png", kept)
    return made


def a_clean(method, case, **result):
    spec = {"method": method, "seed": 0, "case": case, "condition": "clean"}
    scores = {"scores": {"dice": 0.5, "iou": 0.4}, "gates": {}, "seconds": 1.0}
    return Done(Job("score", spec), {**scores, **result})


def lines_of(axes):
    return {line.get_label(): line for line in axes.lines}


def is_png(picture):
    return picture.png.startswith(b"\x89PNG") and picture.title and picture.says


def test_roc_and_precision_recall_are_drawn_with_their_areas(results_of, drawn):
    counts = {"lesion": [0, 1, 3], "other": [4, 1, 0]}  # AUC 0.975, average precision 0.95
    done = [a_clean("ours", case, counts=counts) for case in CASES]
    trivial = {"trivial ball": {"a": {"clean": {"recall": 0.25, "precision": 0.5}}}}
    results = results_of(trivial, done=done, systems={"ours": "x"})
    assert is_png(figures.roc(results)) and is_png(figures.precision_recall(results))
    roc, pr = (lines_of(figure.axes[0]) for figure in drawn)
    x, y = roc["ours, AUC 0.975"].get_data()
    assert (x[20], y[20]) == pytest.approx((0.2, 1.0))
    assert set(roc) == {"ours, AUC 0.975", "chance"}
    assert pr["ours, AP 0.950"].get_ydata()[100] == pytest.approx(0.8)
    assert [list(d) for d in pr["trivial ball (one mask)"].get_data()] == [[0.25], [0.5]]


def test_a_case_without_a_lesion_has_no_curve(results_of, drawn):
    done = [a_clean("ours", "a", counts={"lesion": [0, 0], "other": [4, 1]})]
    figures.roc(results_of({}, done=done, systems={"ours": "x"}))
    assert set(lines_of(drawn[0].axes[0])) == {"chance"}


def test_noise_is_drawn_by_its_level_beside_the_papers(results_of, drawn):
    own = {"clean": {"dice": 0.8, "iou": 0.6}, "gaussian noise 0.3": {"dice": 0.6, "iou": 0.4}}
    figures.noise(results_of({"ours": {"a": own, "b": own}}))
    dice, iou = drawn[0].axes
    assert [list(d) for d in lines_of(dice)["ours"].get_data()] == [[0.0, 0.3], pytest.approx([80, 60])]
    assert list(lines_of(iou)["ours"].get_ydata()) == pytest.approx([60, 40])
    assert [list(d) for d in lines_of(dice)["the paper's"].get_data()] == [[0, 0.1, 0.3, 0.5], [88.2, 87.1, 84.6, 80.3]]
    assert len(dice.collections) == 1  # the interval


def test_withheld_modalities_are_bars_with_and_without_gating(results_of, drawn):
    on, off = {"dice": 0.9}, {"dice": 0.8}
    own = {"clean": on, "clean, gating off": off, "no PET": off, "no PET, gating off": {"dice": 0.7}}
    plain = {"clean": off, "no PET": on}
    figures.missing(results_of({"ours": {"a": own, "b": own}, "other": {"a": plain}}))
    axes = drawn[0].axes[0]
    bars = {c.get_label(): [bar.get_height() for bar in c] for c in axes.containers}
    assert bars == {
        "ours": pytest.approx([90, 80]),
        "ours, gating off": pytest.approx([80, 70]),
        "other": pytest.approx([80, 90]),
        "the paper's, gated": [88.2, 86.9],
    }
    assert [label.get_text() for label in axes.get_xticklabels()] == ["all", "no PET"]


def test_latency_is_drawn_of_every_draw(results_of, drawn):
    done = [Done(Job("measure", {"method": "ours", "case": "a"}), {"slice": {"each_ms": [10.0, 20.0, 40.0]}})]
    figures.latency(results_of({}, done=done, systems={"ours": "x"}))
    axes = drawn[0].axes[0]
    assert [list(line.get_ydata()) for line in axes.lines][-1] == [10, 20, 40]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["ours"]
    assert axes.get_ylim()[0] == 0


def test_reliability_is_drawn_of_all_patients_together(results_of, drawn):
    curves = [
        {"confidence": [0.04], "frequency": [0.0], "voxels": [10]},
        {"confidence": [0.02, 0.98], "frequency": [0.1, 1.0], "voxels": [30, 5]},
    ]
    done = [a_clean("ours", case, reliability=curve) for case, curve in zip(CASES, curves, strict=True)]
    figures.reliability(results_of({}, done=done, systems={"ours": "x"}))
    x, y = lines_of(drawn[0].axes[0])["ours"].get_data()
    assert x == pytest.approx([(0.4 + 0.6) / 40, 0.98])
    assert y == pytest.approx([3 / 40, 1.0])


def test_ablations_are_boxes_of_the_patients_dice(results_of, drawn):
    scores = {f"sts-diffufusemed-{name}": {c: {"clean": {"dice": d}} for c, d in zip(CASES, (0.5, 0.75), strict=True)}
              for name in ("whole", "no-gating")}  # fmt: skip
    figures.ablations(results_of(scores))
    axes = drawn[0].axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["whole", "no-gating"]
    assert sum(list(line.get_ydata()) == [50, 75] and line.get_marker() == "." for line in axes.lines) == 2


def test_a_sheet_shows_image_prediction_reference_uncertainty_and_error(results_of, drawn):
    panels = {name: np.full((2, 3), n / 5) for n, name in enumerate(PANELS)}
    sheet = {"shape": [2, 3], "pixel_mm": [2.0, 1.0], "panels": {n: _packed(p) for n, p in panels.items()}}
    done = [a_clean("ours", f"case {n}", sheet=sheet) for n in range(5)]
    picture = sheet_figure.uncertainty(results_of({}, done=done, systems={"ours": "x"}), "ours")
    assert picture.notes[0].startswith("4 of 5 patients") and is_png(picture)
    axes = np.reshape(drawn[0].axes, (4, 5))
    assert [ax.get_title() for ax in axes[0]] == ["image", "prediction", "reference", "uncertainty", "error"]
    assert [ax.get_ylabel() for ax in axes[:, 0]] == [f"case {n}" for n in range(4)]
    for n, ax in enumerate(axes[0]):
        assert np.asarray(ax.images[0].get_array()) == pytest.approx(panels[PANELS[n]], abs=1 / 255)
        assert ax.images[0].get_extent() == [0, 3, 4, 0]


def test_a_model_that_was_not_scored_has_no_sheet(results_of):
    assert sheet_figure.uncertainty(results_of({}, systems={"ours": "x"}), "ours") is None


def test_the_same_figure_is_the_same_file(results_of):
    results = results_of({"ours": {"a": {"clean": {"dice": 0.5}}, "b": {"clean": {"dice": 0.7}}}})
    assert figures.ablations(results).png == figures.ablations(results).png
