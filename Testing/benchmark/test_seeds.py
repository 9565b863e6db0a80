"""What each training came to, seed by seed."""

import shutil
from dataclasses import replace

import pytest
from DiffuFuseMedLib.benchmark import seeds, suites
from DiffuFuseMedLib.benchmark.drawing import png
from DiffuFuseMedLib.benchmark.jobs import Done, Job
from DiffuFuseMedLib.models.registry import read_record, write_record

HISTORY = [{"step": 100, "bce": 0.9, "dice": 0.8}, {"step": 600, "bce": 0.5, "dice": 0.4}]


def trained(recipe, seed, steps, folder=""):
    spec = {"recipe": recipe, "seed": seed}
    return Done(Job("train", spec), {"steps_done": steps, "folder": folder})


def scored(method, seed, case, **scores):
    spec = {"method": method, "seed": seed, "case": case, "condition": "clean"}
    return Done(Job("score", spec), {"scores": scores, "gates": {}, "seconds": 1.0})


@pytest.fixture
def a_model_in(models):
    """A function (request, name, history): a model's folder below the benchmark's own, with this course."""

    def put(request, name, history):
        folder = request.out / name
        shutil.copytree(models / "tiny", folder)
        record = read_record(folder)
        write_record(replace(record, training={**record.training, "history": history}), folder)
        return name

    return put


def test_each_seed_has_a_row_with_its_own_means(results_of):
    done = [trained("a+drgo", 0, 120), trained("a+drgo", 1, 90), trained("b", 0, 50)]
    done += [scored("a-drgo", 0, case, dice=dice, hd95_mm=4.0) for case, dice in (("x", 0.5), ("y", 0.7))]
    done += [scored("a-drgo", 1, "x", dice=0.1, hd95_mm=9.0)]
    table = seeds.each_seed(results_of({}, done=done, systems={"a-drgo": "x", "b": "y"}))
    assert table.columns[:5] == ("network", "seed", "steps", "Dice, %", "HD95, mm")
    assert [row[:5] for row in table.rows] == [
        ("a-drgo", "0", "120", "60.0", "4.0"), ("a-drgo", "1", "90", "10.0", "9.0"), ("b", "0", "50", "", ""),
    ]  # fmt: skip


def test_corrupted_images_have_no_part_in_a_seeds_means(results_of):
    noisy = scored("a", 0, "x", dice=0.1)
    noisy = replace(noisy, job=replace(noisy.job, spec={**noisy.job.spec, "condition": "gaussian noise 0.5"}))
    results = results_of({}, done=[trained("a", 0, 9), scored("a", 0, "x", dice=0.9), noisy], systems={"a": "x"})
    assert seeds.each_seed(results).rows[0][3] == "90.0"


def test_without_trainings_there_is_neither_table_nor_curve(results_of):
    results = results_of({"ours": {"x": {"clean": {"dice": 0.5}}}})
    assert seeds.each_seed(results) is None and seeds.training_curves(results) is None
    assert not {"Each seed by itself", "Training curves"} & {p.title for p in suites.SUITES["ablation"].parts(results)}


def test_curves_are_the_dice_loss_of_each_training(results_of, a_request, a_model_in, monkeypatch):
    made = []
    monkeypatch.setattr(seeds, "png", lambda figure: (made.append(figure), png(figure))[1])
    request = a_request(models=())
    folder = a_model_in(request, "one", HISTORY)
    short = a_model_in(request, "short", HISTORY[:1])
    done = [trained("a", 0, 600, folder), trained("a", 1, 600, folder), trained("b", 0, 100, short)]
    done += [trained("c", 0, 100, "gone")]
    picture = seeds.training_curves(results_of({}, request, done=done))
    lines = made[0].axes[0].lines
    assert [line.get_label() for line in lines] == ["a, seed 0", "a, seed 1"]
    assert lines[0].get_xydata().tolist() == [[100, 0.8], [600, 0.4]]
    assert lines[0].get_color() == lines[1].get_color() and lines[0].get_linestyle() != lines[1].get_linestyle()
    assert picture.png.startswith(b"\x89PNG")
    assert seeds.training_curves(results_of({}, request, done=done[2:])) is None


def test_the_ablation_suite_shows_both(results_of, a_request, a_model_in):
    request = a_request(models=())
    done = [trained("a", 0, 600, a_model_in(request, "one", HISTORY)), scored("a", 0, "x", dice=0.5)]
    parts = suites.SUITES["ablation"].parts(results_of({}, request, done=done, systems={"a": "x"}))
    assert {"Each seed by itself", "Training curves"} <= {part.title for part in parts}
