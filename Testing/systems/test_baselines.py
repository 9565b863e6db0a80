"""What DiffuFuseMed's Table 1 compares with, and its peers: one contract, and the sizes that their papers tell."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.systems import network_class
from DiffuFuseMedLib.tasks.segment import contract
from DiffuFuseMedLib.tasks.segment import train as module
from DiffuFuseMedLib.tasks.segment.recipes import RECIPES
from DiffuFuseMedLib.tasks.segment.train import run_recipe
from DiffuFuseMedLib.training.dataset import training_case
from DiffuFuseMedLib.training.windows import WindowSettings

ALL = ("CT", "PET", "MR_T1")
SMALL_CONVOLUTIONS = {"channels": (8, 8, 16, 16, 16)}
SMALL = {
    "unet": ("monai-nets", {"network": "unet", **SMALL_CONVOLUTIONS}),
    "attention-unet": ("monai-nets", {"network": "attention-unet", **SMALL_CONVOLUTIONS}),
    "swin-unetr": ("monai-nets", {"network": "swin-unetr", "channels": (12,)}),
    "unet-3d": ("unet-3d", {"base": 8}),
    "multi-encoder": ("multi-encoder", {"channels": (8, 8, 8, 16)}),
    "transbts": ("trans-bts", {"base": 8, "embedding": 16, "heads": 2, "layers": 2, "hidden": 24}),
    "mmformer": ("mmformer", {"base": 4, "embedding": 16, "heads": 2, "hidden": 24}),
}
RECIPE_OF = {
    "unet": "sts-unet-2d",
    "attention-unet": "sts-attention-unet",
    "swin-unetr": "sts-swin-unetr",
    "unet-3d": "sts-unet-3d",
    "multi-encoder": "sts-multi-encoder",
    "transbts": "sts-transbts",
    "mmformer": "sts-mmformer",
}
EVERY = pytest.mark.parametrize("name", SMALL)
SPACES = pytest.mark.parametrize("space", [(16, 48), (16, 32, 16)], ids=str)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def build(name, spatial_dims=2, seed=0, **settings):
    system, small = SMALL[name]
    kind = network_class(system)
    grid = {"grid": (2,) * spatial_dims} if system in ("trans-bts", "mmformer") else {}
    torch.manual_seed(seed)
    return kind(kind.config_type(**({"spatial_dims": spatial_dims} | small | grid | settings))).eval()


@torch.no_grad()
def draw(network, images):
    return network.segment(contract.inputs_of(network, images)).logits


def count(network):
    return sum(p.numel() for p in network.parameters())


@EVERY
@SPACES
@pytest.mark.parametrize("present", [("PET",), ALL], ids="+".join)
def test_answers_at_the_size_of_the_window(images, name, space, present):
    network = build(name, len(space), classes=2)
    assert isinstance(network, contract.DrawsWindows)
    assert all(n % s == 0 for n, s in zip(space, network.stride, strict=True))
    logits = draw(network, images(present, *space))
    assert logits.shape == (2, 2, *space)
    assert torch.isfinite(logits).all()


@EVERY
def test_the_smallest_window_is_answered_too(images, name):
    """A window is cut to its strides where memory is short, and a case may be one window alone."""
    network = build(name, 3)
    seen = {m: x[:1] for m, x in images(ALL, *network.stride).items()}
    assert draw(network, seen).shape == (1, 1, *network.stride)


@EVERY
def test_an_absent_modality_says_nothing_and_every_present_one_is_heard(images, name):
    network, seen = build(name), images(("CT", "MR_T1"), 32, 32)
    absent = draw(network, seen)
    for m in seen:
        assert not torch.equal(absent, draw(network, {**seen, m: 2 * seen[m]}))
    assert not torch.allclose(absent, draw(network, images(ALL, 32, 32)), atol=1e-5)


@pytest.mark.parametrize("name", ["unet", "attention-unet", "swin-unetr", "unet-3d", "transbts"])
def test_where_modalities_are_channels_an_absent_one_is_zeros_with_an_empty_mask(images, name):
    network, seen = build(name), images(("CT", "MR_T1"), 32, 32)
    assert torch.equal(draw(network, seen), draw(network, {"PET": torch.zeros(2, 2, 32, 32), **seen}))


@pytest.mark.parametrize("name", ["multi-encoder", "mmformer"])
def test_with_an_encoder_for_each_zeros_are_not_the_same_as_absence(images, name):
    network, seen = build(name), images(("CT", "MR_T1"), 32, 32)
    zeros = {**seen, "PET": torch.zeros(2, 2, 32, 32)}
    assert not torch.allclose(draw(network, seen), draw(network, zeros), atol=1e-5)


@EVERY
def test_the_order_of_the_images_is_of_no_account(images, name):
    network, seen = build(name), images(ALL, 32, 32)
    assert torch.equal(draw(network, seen), draw(network, dict(reversed(seen.items()))))


@EVERY
@pytest.mark.parametrize("classes", [1, 3])
def test_gradients_reach_every_parameter(a_batch, name, classes):
    silent = None
    for start in range(3):  # a unit may be dead from the start, by chance
        network = build(name, seed=start, classes=classes)
        for seed in range(4):  # mmFormer leaves modalities out
            loss = network.loss(a_batch(ALL, 64, 64, classes=classes), seeded(seed))
            loss.total.backward()
        assert loss.prediction.shape == (2, classes, 64, 64)
        assert loss.total.item() == pytest.approx(sum(part.item() for part in loss.parts.values()), rel=1e-5)
        without = {n for n, p in network.named_parameters() if p.grad is None or p.grad.abs().max() == 0}
        silent = without if silent is None else silent & without
        if not silent:
            break
    assert silent == set()


@EVERY
def test_memory_is_not_less_than_the_largest_maps_that_are_alive_together(images, name):
    """A layer's input and output, the largest of all layers; and it grows with the window alone."""
    network, most = build(name, 3), []

    def note(_, given, made):
        tensors = [x for x in (*given, made) if isinstance(x, torch.Tensor)]
        most.append(sum(4 * x.numel() for x in tensors))

    for layer in network.modules():
        if not list(layer.children()):
            layer.register_forward_hook(note)
    draw(network, {m: x[:1] for m, x in images(ALL, 32, 32, 32).items()})
    weights = 4 * count(network)
    told = network.memory_bytes(32**3, 3) - weights
    assert max(most) <= told <= 20 * max(most)
    assert network.memory_bytes(2 * 32**3, 3) - weights == pytest.approx(2 * told)


@EVERY
def test_is_as_large_as_the_table_says(name):
    page = Path(__file__).resolve().parents[2] / "docs" / "systems" / "baselines.md"
    row = next(line for line in page.read_text(encoding="utf-8").splitlines() if f"`{RECIPE_OF[name]}`" in line)
    recipe = RECIPES[RECIPE_OF[name]]
    with torch.device("meta"):
        network = network_class(recipe.system)(recipe.config)
    assert row.split("|")[4].strip() == f"{count(network) / 1e6:.2f} M"


@EVERY
def test_a_config_survives_json(name):
    config = build(name).config
    assert type(config).from_dict(json.loads(json.dumps(asdict(config)))) == config


@EVERY
def test_is_trained_as_the_yardstick(name):
    """But for the 2D U-Net's windows, which are slices of the same ones."""
    yardstick, ours = RECIPES["sts-segresnet"], RECIPES[RECIPE_OF[name]]
    alike = replace(yardstick, model_id=ours.model_id, system=ours.system, config=ours.config)
    if name == "unet":
        slices = replace(yardstick.windows, shape=(1, *yardstick.windows.shape[1:]))
        alike = replace(alike, windows=slices, batch=32)
    assert ours == alike
    assert ours.config.segmentation == yardstick.config.segmentation


@EVERY
def test_a_few_steps_of_its_recipe_leave_a_model_that_loads(a_case, name, images, tmp_path, monkeypatch):
    recipe, toy = RECIPES[RECIPE_OF[name]], build(name, RECIPES[RECIPE_OF[name]].config.spatial_dims)
    shape = (1, 32, 32) if toy.config.spatial_dims == 2 else (16, 16, 16)
    windows = WindowSettings(shape=shape)
    recipe = replace(recipe, model_id="tiny", config=toy.config, windows=windows, batch=2, steps=2, warmup=1)
    monkeypatch.setattr(module, "training_cases", lambda *_: [training_case(a_case(), ALL)])
    split = tmp_path / "split.json"
    split.write_text(json.dumps({"folds": [[], ["tiny"], [], []]}), encoding="utf-8")
    record = run_recipe(recipe, tmp_path, split, tmp_path / "models")
    model = zoo.load("tiny", folder=tmp_path / "models")
    assert model.network.config == toy.config
    assert (record.training["steps_done"], record.training["skipped"]) == (2, 0)
    fixed = {n: b for n, b in toy.named_buffers() if not b.is_floating_point()}  # windows' places: no half precision
    assert all(torch.equal(b, dict(model.network.named_buffers())[n]) for n, b in fixed.items())
    seen = images(ALL, *shape[-toy.config.spatial_dims :])
    assert torch.isfinite(draw(model.network, seen)).all()


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("unet", {"channels": (8, 8)}, "2 numbers of channels for unet, wanted 5"),
        ("swin-unetr", {"channels": (12, 24)}, "wanted 1 of them"),
        ("transbts", {"grid": (2, 2, 2)}, "wanted 2 axes"),
        ("transbts", {"heads": 3}, "a multiple of the heads"),
        ("mmformer", {"grid": (2,)}, "wanted 2 axes"),
        ("mmformer", {"heads": 3}, "a multiple of the heads"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(name, settings, words):
    with pytest.raises(InputError, match=words):
        build(name, **settings)
