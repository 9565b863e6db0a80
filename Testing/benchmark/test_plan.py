"""From a request to jobs: how many of what, what their keys depend on, and what is refused."""

import json
import shutil
from dataclasses import replace

import pytest
from DiffuFuseMedLib.benchmark.jobs import Done
from DiffuFuseMedLib.benchmark.plan import contenders, is_there, scoring_jobs, training_jobs
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.tasks.segment.corruptions import CORRUPTIONS
from DiffuFuseMedLib.tasks.segment.recipes import RECIPES


def planned(request):
    return scoring_jobs(request, contenders(request, []))


def told(jobs, *names):
    return [tuple(job.spec[name] for name in names) for job in jobs]


def test_every_model_is_scored_on_every_case_with_every_seed_and_the_trivial_rows_once(a_request):
    jobs = planned(a_request(seeds=(0, 1)))
    scored = [job for job in jobs if job.kind == "score"]
    assert told(scored, "method", "seed", "case", "condition") == [
        ("tiny", 0, "b", "clean"), ("tiny", 0, "c", "clean"), ("tiny", 1, "b", "clean"), ("tiny", 1, "c", "clean"),
    ]  # fmt: skip
    assert told([job for job in jobs if job.kind == "trivial"], "case") == [("b",), ("c",)]
    assert len({job.key for job in jobs}) == 6


def test_the_suites_share_what_they_have_in_common(a_request):
    plain, robust = (planned(a_request(suite=name)) for name in ("sts", "robustness"))
    assert {job.key for job in plain} < {job.key for job in robust}


def test_conditions_are_those_of_the_suite_and_of_the_model(a_request):
    one = a_request(suite="robustness", names=("c",))
    assert [job.spec["condition"] for job in planned(one) if job.kind == "score"] == ["clean", *CORRUPTIONS]
    withheld = [job.spec["condition"] for job in planned(replace(one, suite="missing")) if job.kind == "score"]
    off = ", gating off"
    pairs = [name + end for name in ("no CT", "no PET", "no MR_T1") for end in ("", off, ", duplicated")]
    assert withheld == ["clean", *pairs, f"clean{off}"]


def test_a_case_that_changed_and_another_crop_are_other_jobs(a_request, a_cohort, tmp_path):
    shutil.copytree(a_cohort, tmp_path / "copy")
    one = a_request(cases=tmp_path / "copy", names=("b",))
    before = [job.key for job in planned(a_request(names=("b",)))]
    assert [job.key for job in planned(one)] == before  # it lies elsewhere, and is the same
    split = json.loads((tmp_path / "copy" / "split.json").read_text())
    split["crops"]["b"]["stop_kji"][0] = 10
    (tmp_path / "copy" / "split.json").write_text(json.dumps(split))
    cropped = [job.key for job in planned(one)]
    assert not set(before) & set(cropped)
    (tmp_path / "copy" / "b" / "GTV.nii.gz").write_bytes(b"other")
    assert not set(cropped) & {job.key for job in planned(one)}


def test_another_model_under_the_same_name_is_another_job(a_request, models, tmp_path, monkeypatch):
    before = planned(a_request())
    shutil.copytree(models, tmp_path / "models")
    record = tmp_path / "models" / "tiny" / "model.json"
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(tmp_path / "models"))
    assert planned(a_request())[0].key == before[0].key
    from DiffuFuseMedLib.models.registry import read_record, write_record

    write_record(replace(read_record(record.parent), licence="another"), record.parent)
    after = planned(a_request())
    assert after[0].key != before[0].key
    assert after[-1].key == before[-1].key  # the trivial row knows no model


def test_other_kinds_of_jobs(a_request):
    assert [job.kind for job in planned(a_request(suite="efficiency"))] == ["measure"]
    kinds = [job.kind for job in planned(a_request(suite="raters", readers=3))]
    assert kinds == ["raters", "raters", "raters-trivial", "raters-trivial"]
    assert {job.spec["readers"] for job in planned(a_request(suite="raters", readers=3))} == {3}
    assert [job.kind for job in planned(a_request(suite="calibration"))][-2:] == ["diagnose", "diagnose"]
    kinds = [job.kind for job in planned(a_request(suite="synthesis"))]
    assert kinds == ["score", "score", "trivial", "trivial", "look", "look"]


def test_other_samples_seeds_and_for_speed_another_machine_are_other_jobs(a_request, monkeypatch):
    keys = lambda **told: {job.key for job in planned(a_request(names=("c",), **told)) if job.kind != "trivial"}  # noqa: E731
    assert not keys() & keys(samples=2)
    assert not keys() & keys(seeds=(1,))
    assert not keys() & keys(device="cuda")
    here, scored = keys(suite="efficiency"), keys()
    monkeypatch.setattr("DiffuFuseMedLib.benchmark.plan.machine_of", lambda device: "another machine")
    assert not here & keys(suite="efficiency")
    assert scored == keys()


def test_every_recipe_is_trained_with_every_seed_on_the_other_folds_and_the_same_windows(a_request):
    names = ("sts-diffufusemed", "sts-caldiff")
    jobs = training_jobs(a_request(models=names, minutes=2.0, seeds=(3, 4), cores=2))
    assert told(jobs, "recipe", "seed", "fold", "minutes", "cores") == [
        (name, seed, 0, 2.0, 2) for name in names for seed in (3, 4)
    ]
    assert {job.cores for job in jobs} == {2}
    assert len({job.key for job in jobs}) == 4
    assert len({job.rests_on["cases"] for job in jobs}) == 1
    assert training_jobs(a_request()) == []


def test_a_suite_trains_its_own_recipes(a_request):
    jobs = training_jobs(a_request(suite="ablation", models=(), minutes=1.0))
    assert [job.spec["recipe"] for job in jobs][:2] == ["sts-diffufusemed-whole", "sts-diffufusemed-no-diffusion"]
    assert all(job.spec["recipe"] in RECIPES for job in jobs) and len(jobs) == 8
    assert jobs[-1].spec["recipe"] == "sts-segresnet"  # the plain network beside what is left of ours


def test_other_minutes_data_or_recipe_are_other_trainings(a_request, monkeypatch):
    key = training_jobs(a_request(models=("sts-segresnet",), minutes=1.0))[0].key
    assert training_jobs(a_request(models=("sts-segresnet",), minutes=2.0))[0].key != key
    assert training_jobs(a_request(models=("sts-segresnet",), minutes=1.0, fold=1))[0].key != key
    monkeypatch.setitem(RECIPES, "sts-segresnet", replace(RECIPES["sts-segresnet"], learning_rate=1.0))
    assert training_jobs(a_request(models=("sts-segresnet",), minutes=1.0))[0].key != key


def test_trained_models_are_scored_where_they_were_put_and_failed_ones_are_not(a_request, models):
    request = a_request(minutes=1.0, models=("sts-segresnet",), seeds=(7, 8))
    first, second = training_jobs(request)
    (request.out / "models").mkdir(parents=True)
    shutil.copytree(models / "tiny", request.out / "models" / "tiny")
    done = [Done(first, {"folder": "models/tiny", "record": "x"}), Done(second, reason="no")]
    found = contenders(request, done)
    assert [(c.method, c.seed) for c in found] == [("tiny", 7)]
    assert found[0].folder == (request.out / "models" / "tiny").resolve()
    assert not is_there(done[0])  # another record


def test_two_models_of_one_id_are_refused_and_not_taken_for_one(a_request, models, tmp_path):
    shutil.copytree(models / "tiny", tmp_path / "elsewhere")
    for other in (tmp_path / "elsewhere", models / "tiny"):
        with pytest.raises(InputError, match="two models of the id tiny"):
            contenders(a_request(models=("tiny", str(other))), [])
    assert len(contenders(a_request(models=("tiny",), seeds=(0, 1)), [])) == 2


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"suite": "none"}, "the suite 'none', wanted one of sts, robustness"),
        ({"models": ("none",)}, "the model 'none'"),
        ({"suite": "fusion"}, "--models for the suite fusion"),
    ],
)
def test_what_is_not_there_is_refused(a_request, told, sentence):
    with pytest.raises(InputError, match=sentence):
        contenders(a_request(**told), [])


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"models": ("none",)}, "the recipe 'none'"),
        ({"suite": "efficiency"}, "--minutes for the suite efficiency"),
        ({"models": ("sts-segresnet+none",)}, "the variant 'none' of sts-segresnet, wanted one of drgo"),
    ],
)
def test_what_cannot_be_trained_is_refused(a_request, told, sentence):
    with pytest.raises(InputError, match=sentence):
        training_jobs(a_request(minutes=1.0, **told))


def test_a_training_with_synthetic_cases_depends_on_what_makes_them_and_no_other_does(a_request, models, tmp_path):
    shutil.copytree(models / "tiny", tmp_path / "maker")
    told = {"minutes": 1.0, "synthesizer": str(tmp_path / "maker"), "inpainter": str(models / "tiny")}
    names = ("sts-segresnet", "sts-segresnet+synthetic")
    plain, synthetic = training_jobs(a_request(models=names, **told))
    with (tmp_path / "maker" / "model.json").open("a") as file:
        file.write(" ")
    again = training_jobs(a_request(models=names, **told))
    assert again[0].key == plain.key and again[1].key != synthetic.key
