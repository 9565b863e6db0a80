"""What is asked for as NAME+VARIANT, and what such a training rests on."""

import json
from dataclasses import replace

import pytest
from DiffuFuseMedLib.benchmark.plan import training_jobs
from DiffuFuseMedLib.benchmark.training import content_of, folder_of, recipe_of
from DiffuFuseMedLib.benchmark.variants import id_of, variant_of
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.losses import Drgo
from DiffuFuseMedLib.tasks.segment.recipes import RECIPES
from DiffuFuseMedLib.training.synthetic import Synthetic


def test_a_variant_changes_what_it_names_and_the_models_id_alone():
    plain, guided = RECIPES["sts-segresnet"], variant_of("sts-segresnet+drgo")
    assert (guided.drgo, guided.model_id) == (Drgo(), "sts-segresnet-drgo") and plain.drgo is None
    assert (guided.windows, guided.data, guided.config) == (plain.windows, plain.data, plain.config)
    few = variant_of("sts-unet-3d+synthetic-median+patients-30")
    assert few.synthetic == Synthetic(remover="median filter") and few.data.portion == 0.3
    assert variant_of("sts-unet-3d+synthetic-pasted").synthetic.tumors == "pasted"
    assert variant_of("sts-unet-3d+only-CT").config.modalities == ("CT",)
    faint = variant_of("sts-multi-encoder+faint")
    assert faint.windows == replace(RECIPES["sts-multi-encoder"].windows, faint=0.4)
    assert recipe_of("sts-multi-encoder+faint", "sts-segresnet", 0, 4, 1.0, 0).windows.faint == 0.4
    assert recipe_of("sts-multi-encoder", "sts-segresnet+faint", 0, 4, 1.0, 0).windows.faint == 0
    assert id_of("a+b+c") == "a-b-c"


def test_its_own_drgo_is_kept():
    whole = RECIPES["sts-medfusion-transnet-no-boundary"]
    assert variant_of("sts-medfusion-transnet-no-boundary+drgo").drgo == whole.drgo != Drgo()


@pytest.mark.parametrize(
    ("name", "sentence"), [("none+drgo", "the recipe 'none'"), ("sts-segresnet+", "the variant '' of sts-segresnet")]
)
def test_what_is_none_is_refused(name, sentence):
    with pytest.raises(InputError, match=sentence):
        variant_of(name)


def test_what_a_recipe_does_not_use_is_no_part_of_its_fingerprint():
    told = content_of(RECIPES["sts-segresnet"])
    assert "synthetic" not in told and "portion" not in told["data"] and "faint" not in told["windows"]
    assert "ace" not in told
    told = content_of(variant_of("sts-segresnet+synthetic+patients-10+faint+ace"))
    assert told["ace"] == 1.0
    assert told["windows"]["faint"] == 0.4
    assert told["synthetic"]["share"] == 0.5 and told["data"]["portion"] == 0.1


def test_a_training_with_synthetic_cases_rests_on_what_makes_them(a_request, tmp_path):
    ids = ("drawer", "other", "remover")
    folders = {name: tmp_path / name for name in ids}
    for name, folder in folders.items():
        folder.mkdir()
        (folder / "model.json").write_text(json.dumps({"id": name}))

    def job(synthesizer):
        told = {"minutes": 1.0, "models": ("sts-segresnet+synthetic",), "inpainter": str(folders["remover"])}
        return training_jobs(a_request(**told, synthesizer=str(folders[synthesizer])))[0]

    one, other = job("drawer"), job("other")
    assert one.places["synthesizer"] == str(folders["drawer"]) and "inpainter" in one.rests_on
    assert one.key != other.key and one.rests_on["inpainter"] == other.rests_on["inpainter"]
    assert folder_of(one).startswith("models/sts-segresnet-synthetic-seed-0-")
    (plain,) = training_jobs(a_request(minutes=1.0, models=("sts-segresnet",)))
    assert "synthesizer" not in plain.rests_on and "synthesizer" not in plain.places
