"""Each kind of job, on tiny networks and cases: what it gives, and that it is plain JSON."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.benchmark import efficiency, training
from DiffuFuseMedLib.benchmark.curves import Counts
from DiffuFuseMedLib.benchmark.executor import done_of
from DiffuFuseMedLib.benchmark.plan import contenders, scoring_jobs, training_jobs
from DiffuFuseMedLib.benchmark.sheets import PANELS, panel_of
from DiffuFuseMedLib.benchmark.training import recipe_of
from DiffuFuseMedLib.benchmark.work import do
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.split import read_split
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.tasks.segment.evaluate import conditions_of, evaluate
from DiffuFuseMedLib.tasks.segment.recipes import RECIPES
from DiffuFuseMedLib.tasks.segment.settings import Settings
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.synthetic import Synthetic


def job_of(request, kind, **wanted):
    jobs = scoring_jobs(request, contenders(request, []))
    return next(j for j in jobs if j.kind == kind and all(j.spec[name] == value for name, value in wanted.items()))


@pytest.fixture
def evaluated(a_cohort, models):
    """The rows of `evaluate` of patient b, cropped, by method and condition."""
    model = zoo.load("tiny", folder=models)
    case = read_split(a_cohort / "split.json").crop(load_case(a_cohort / "b"))
    which = [c for c in conditions_of(model, True, 0) if c.name in ("clean", "no PET, gating off")]
    rows = evaluate(model, [case], which, Settings(samples=1))
    return case, {(row["method"], row["condition"]): row for row in rows}


def test_scores_are_those_of_evaluate(a_request, evaluated):
    _, rows = evaluated
    for suite, condition in (("sts", "clean"), ("missing", "no PET, gating off")):
        result = do(job_of(a_request(suite=suite), "score", case="b", condition=condition))
        row = rows["tiny", condition]
        assert {n: row[n] for n in result["scores"]} == pytest.approx(result["scores"])
        assert {f"gate_{m}": w for m, w in result["gates"].items()} == {n: row[n] for n in row if n[:5] == "gate_"}
        assert json.dumps(result)
        assert ("counts" in result, "sheet" in result) == (condition == "clean",) * 2


def test_of_the_clean_case_every_voxel_is_counted_and_one_slice_kept(a_request, evaluated):
    case, rows = evaluated
    result = do(job_of(a_request(), "score", case="b"))
    lesion = case.reference_mask.array > 0
    counts = Counts.from_json(result["counts"])
    assert (counts.lesion.sum(), counts.other.sum()) == (lesion.sum(), (~lesion).sum())
    gaps = np.abs(np.subtract(result["reliability"]["confidence"], result["reliability"]["frequency"]))
    assert np.average(gaps, weights=result["reliability"]["voxels"]) == pytest.approx(rows["tiny", "clean"]["ece"])
    sheet = result["sheet"]
    assert sheet["slice"] == lesion.sum(axis=(1, 2)).argmax()
    assert sheet["shown"] == "MR_T1"
    panels = {name: panel_of(sheet, name) for name in PANELS}
    assert (panels["reference"] == lesion[sheet["slice"]]).all()
    assert (panels["error"] == (panels["prediction"] != panels["reference"])).all()
    assert 0 <= panels["uncertainty"].min() < panels["uncertainty"].max() <= 1


def test_trivial_rows_are_those_of_evaluate(a_request, evaluated):
    _, rows = evaluated
    result = do(job_of(a_request(), "trivial", case="b"))
    assert list(result) == ["centre ellipsoid", "PET 41 %", "PET > 2.5"]
    for name, scores in result.items():
        assert scores == {n: rows[name, "clean"][n] for n in scores}


def test_a_diagnosis_and_measures_of_several_readers_are_plain_json(a_request):
    assert "ECE, raw" in done_of(job_of(a_request(suite="calibration", samples=2), "diagnose"), do).result
    request = a_request(suite="raters", samples=2, readers=3)
    found = done_of(job_of(request, "raters"), do).result
    assert (found["readers"], found["method"], found["case"]) == ("3 simulated readers", "tiny", "b")
    assert "majority of the readers" in done_of(job_of(request, "raters-trivial"), do).result


def test_speed_is_measured_on_one_slab(a_request, monkeypatch):
    monkeypatch.setattr(efficiency, "SLICE", (32, 32))
    found = done_of(job_of(a_request(suite="efficiency"), "measure"), do).result
    assert len(found["slice"]["each_ms"]) == 10
    assert "cpu" in found["machine"]


def test_the_gpus_memory_is_that_of_the_model_whatever_was_measured_before_it(models, monkeypatch):
    model = replace(zoo.load("tiny", folder=models), device="cuda")
    weights = sum(p.numel() * p.element_size() for p in model.network.parameters())
    held = {"now": weights + 7 * 2**30, "most": 100 * 2**30}  # another model is held too, and another was larger
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: held.update(most=held["now"]))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: held["now"])
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: held["most"])
    taken = efficiency._gpu_begun("cuda")
    held["most"] += 3 * 2**29
    assert efficiency._gpu_memory(model, taken) == {"peak_gpu_gib": round(1.5 + weights / 2**30, 2)}
    cpu = replace(model, device="cpu")
    assert (efficiency._gpu_begun("cpu"), efficiency._gpu_memory(cpu, 0)) == (0, {})
    parts = [{"each_ms": [1.0], "slices_in_slab": 1, "flops_g_per_slice": 1, "peak_gpu_gib": peak} for peak in (3, 2)]
    assert efficiency._summed(parts)["peak_gpu_gib"] == 3


def test_a_sampler_on_the_whole_volume_is_measured_over_all_its_steps(monkeypatch):
    from DiffuFuseMedLib.models.registry import ModelRecord
    from DiffuFuseMedLib.systems import build
    from DiffuFuseMedLib.systems.caldiff.config import Config

    monkeypatch.setattr(efficiency, "SLICE", (32, 32))
    record = ModelRecord("x", "caldiff", {}, {}, "", "")
    flops = []
    for steps in (2, 4):
        config = Config(channels=(8, 8, 8, 8), denoiser=(8, 8, 8), sampler_steps=steps)
        model = zoo.Model(record, build("caldiff", config).eval(), "cpu")
        flops.append(efficiency.bench_slice(model, repeats=1)["flops_g_per_slice"])
    assert flops[1] > 1.2 * flops[0] > 0


def test_a_kind_that_is_none_is_refused(a_request):
    with pytest.raises(InputError, match="a job of the kind 'none'"):
        do(replace(job_of(a_request(), "trivial"), kind="none"))


def test_a_condition_that_a_model_has_not_is_refused(a_request):
    job = job_of(a_request(), "score")
    with pytest.raises(InputError, match="the condition 'no SPECT' for tiny"):
        do(replace(job, spec={**job.spec, "condition": "no SPECT"}))


def test_recipes_of_a_suite_differ_in_nothing_but_what_they_are():
    ours, other = (recipe_of(name, "sts-diffufusemed", 1, 4, 3.0, 5) for name in ("sts-diffufusemed", "sts-caldiff"))
    assert ours.windows == RECIPES["sts-diffufusemed"].windows
    assert other.windows == replace(ours.windows, simulated_readers=3)  # and not its own share of artefacts
    for recipe in (ours, other):
        assert (recipe.data.folds, recipe.minutes, recipe.seed) == ((0, 2, 3), 3.0, 5)
    slices = recipe_of("sts-unet-2d", "sts-diffufusemed", 1, 4, 3.0, 5)
    assert slices.windows == replace(ours.windows, shape=(1, 64, 64), clean_complete=0.0)
    without = recipe_of("sts-diffufusemed-no-dropout", "sts-diffufusemed", 1, 4, 3.0, 5)
    assert without.windows == replace(ours.windows, drop_one=0.0, drop_two=0.0)


@pytest.fixture
def small_training(a_recipe, a_request, a_case, write_case, tmp_path, monkeypatch):
    """The training job of a recipe of six steps, on one patient; three are held out to calibrate on."""
    folder = tmp_path / "cases"
    for name in ("a", "b", "c", "d"):
        write_case(a_case(name=name), folder / name)
    (folder / "split.json").write_text(json.dumps({"folds": [["b", "c", "d"], ["a"]]}))
    monkeypatch.setitem(RECIPES, "tiny", a_recipe(steps=6))
    request = a_request(cases=folder, minutes=10.0, seeds=(3,))
    return request, training_jobs(request)[0]


def test_a_recipe_becomes_a_calibrated_model_of_the_other_folds(small_training):
    request, job = small_training
    threads = torch.get_num_threads()
    result = done_of(job, do).result
    assert (result["steps_done"], result["patients"]) == (6, ["a"])
    record = zoo.load(str(request.out / result["folder"])).record
    assert record.calibration["patients"] == ["b", "c", "d"]
    assert record.training["seed"] == 3
    assert result["folder"] == f"models/tiny-seed-3-{job.key[:8]}/tiny"
    assert not (request.out / "checkpoints" / job.key[:16]).exists()
    assert torch.get_num_threads() == threads


def test_a_training_with_synthetic_cases_is_handed_what_makes_them(small_training, monkeypatch):
    _, job = small_training
    seen = {}

    def hybrid(recipe, cases, split_file, out, context, **makers):
        seen.update(makers, synthetic=recipe.synthetic)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "run_hybrid_recipe", hybrid)
    places = {"synthesizer": "drawer", "inpainter": "remover"}
    with pytest.raises(KeyboardInterrupt):
        do(replace(job, spec={**job.spec, "recipe": "tiny+synthetic"}, places={**job.places, **places}))
    assert seen == {**places, "synthetic": Synthetic()}


class _Stop:
    """Asks for a stop after so many questions."""

    def __init__(self, questions):
        self.left = questions

    def __call__(self):
        self.left -= 1
        return self.left < 0


def test_a_training_that_is_stopped_is_no_failure_and_goes_on_to_the_same_weights(small_training, monkeypatch):
    request, job = small_training
    monkeypatch.setattr(training, "_calibrate", lambda *others: None)
    unbroken = do(job)
    weights = (request.out / unbroken["folder"] / "weights.safetensors").read_bytes()
    (request.out / unbroken["folder"] / "weights.safetensors").unlink()
    contexts = []

    def stopping(device, checkpoints, stop):
        stop = _Stop(4) if not contexts else stop
        contexts.append(checkpoints.resume)
        return RunContext(device, checkpoints=checkpoints, stop=stop)

    monkeypatch.setattr(training, "RunContext", stopping)
    with pytest.raises(KeyboardInterrupt):
        done_of(job, do)
    assert any((request.out / "checkpoints" / job.key[:16]).iterdir())
    again = do(job)
    assert contexts == [False, True]
    assert again["steps_done"] == 6
    assert (request.out / again["folder"] / "weights.safetensors").read_bytes() == weights
    assert not Checkpoints(request.out / "checkpoints" / job.key[:16])._files()


def test_a_model_that_is_trained_but_not_calibrated_is_not_trained_again(small_training, monkeypatch):
    request, job = small_training
    calibrated, trained, run_recipe = training._calibrate, [], training.run_recipe

    def killed(*others):
        raise SystemExit

    def counted(*others):
        before = {path.name for path in (request.out / "checkpoints" / job.key[:16]).glob("*.safetensors")}
        record = run_recipe(*others)
        trained.append((bool(before), record.training["steps_done"]))
        return record

    monkeypatch.setattr(training, "run_recipe", counted)
    monkeypatch.setattr(training, "_calibrate", killed)
    with pytest.raises(SystemExit):
        do(job)
    monkeypatch.setattr("DiffuFuseMedLib.training.loop.train_step", killed)
    monkeypatch.setattr(training, "_calibrate", calibrated)
    assert do(job)["steps_done"] == 6
    assert trained == [(False, 6), (True, 6)]
    assert not (request.out / "checkpoints" / job.key[:16]).exists()


def test_what_could_not_be_calibrated_is_not_trained(small_training, monkeypatch):
    request, job = small_training
    monkeypatch.setattr(training, "run_recipe", lambda *others: pytest.fail("trained all the same"))
    drawn = request.cases / "c" / "GTV.nii.gz"
    bytes_of_it = drawn.read_bytes()
    drawn.unlink()
    assert "cases which are not what they were when this was planned" in done_of(job, do).reason
    assert "c without a drawn lesion" in done_of(training_jobs(request)[0], do).reason
    drawn.write_bytes(bytes_of_it)
    (request.cases / "split.json").write_text(json.dumps({"folds": [["b", "c"], ["a"]]}))
    assert done_of(training_jobs(request)[0], do).reason.startswith("Given 2 patients, wanted at least 3")


@pytest.fixture
def a_copy(a_request, a_cohort, tmp_path):
    """A request about patient c of a copy of the cohort."""
    shutil.copytree(a_cohort, tmp_path / "copy")
    return lambda **told: a_request(cases=tmp_path / "copy", names=("c",), **told)


@pytest.mark.parametrize(("suite", "kind"), [("sts", "score"), ("sts", "trivial"), ("efficiency", "measure")])
def test_a_case_that_changed_after_it_was_planned_is_not_scored_in_its_place(a_copy, suite, kind, monkeypatch):
    monkeypatch.setattr("DiffuFuseMedLib.benchmark.scoring.bench_slice", lambda *others: {})
    job = job_of(a_copy(suite=suite), kind)
    (a_copy().cases / "c" / "PET.nii.gz").unlink()
    assert "c, which is not what it was when this was planned" in done_of(job, do).reason


def test_a_model_that_changed_after_it_was_planned_is_not_scored_in_its_place(a_copy, models, tmp_path):
    shutil.copytree(models / "tiny", tmp_path / "elsewhere")
    job = job_of(a_copy(models=(str(tmp_path / "elsewhere"),)), "score")
    with (tmp_path / "elsewhere" / "model.json").open("a") as file:
        file.write(" ")
    assert "model.json, which is not what it was when this was planned" in done_of(job, do).reason


def test_a_case_with_a_damaged_image_is_a_failure_and_one_without_it_is_told(a_copy):
    pet = a_copy().cases / "c" / "PET.nii.gz"
    pet.write_bytes(pet.read_bytes()[:200])
    told = done_of(job_of(a_copy(), "score"), do).reason
    assert "the case c with an image that cannot be used (File PET.nii.gz was not read." in told
    pet.unlink()
    assert done_of(job_of(a_copy(), "score"), do).result["lacking"] == ["PET"]
