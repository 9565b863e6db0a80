"""Segmenters of a few lines each: what a system does not have, nobody asks it for."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.engine.server.encodings import Encodings
from DiffuFuseMedLib.models import devices
from DiffuFuseMedLib.networks.draw import Draw
from DiffuFuseMedLib.networks.inputs import network_images
from DiffuFuseMedLib.systems.segresnet.network import Config, SegResNet
from DiffuFuseMedLib.tasks.segment import contract
from DiffuFuseMedLib.tasks.segment.predict import draw, predict
from DiffuFuseMedLib.tasks.segment.settings import Settings
from DiffuFuseMedLib.tasks.segment.views import mirrors

MAPS = ("predictive_entropy", "expected_entropy", "mutual_information")


class Plain(torch.nn.Module):
    """The least that segments: lesion where the image is bright."""

    def __init__(self, modality="CT", spatial_dims=3, stride=(4, 4, 4)):
        super().__init__()
        self.config = SimpleNamespace(modalities=(modality,), spatial_dims=spatial_dims)
        self.stride, self.modality, self.seen = stride, modality, []

    def segment(self, images, generator=None):
        self.seen.append(tuple(images[self.modality].shape))
        return Draw(4 * images[self.modality][:, :1])

    def memory_bytes(self, voxels, modalities):
        return voxels


class Mapped(Plain):
    """One map of its own: how bright it is."""

    def segment(self, images, generator=None):
        return Draw(images["CT"][:, :1], maps={"brightness": images["CT"][:, :1].abs()})


class Switched(Plain):
    """One option."""

    options = {"sharpness": 1.0}  # noqa: RUF012

    def segment(self, images, generator=None, sharpness=1.0):
        return Draw(sharpness * images["CT"][:, :1])


@pytest.fixture
def model_of(a_model):
    """A function (network, shape, spacing): the network as a model."""

    def model(network, shape=(16, 32, 32), spacing=(3.5, 3.0, 3.0)):
        window = {"shape": shape, "spacing_kji_mm": spacing}
        return replace(a_model, network=network, record=replace(a_model.record, window=window))

    return model


def test_a_network_of_two_methods_segments_and_says_nothing_that_it_does_not_know(a_case, model_of):
    found = predict(a_case(), model_of(Plain()), Settings(samples=2))
    assert found.labels.any()
    assert (found.gates, tuple(found.uncertainty)) == ({}, MAPS)
    assert "gating" not in found.provenance
    assert found.modalities == ("CT",)


def test_a_map_of_a_systems_own_lies_beside_the_common_ones(a_case, model_of):
    case = a_case()
    drawn = draw(case, model_of(Mapped()), Settings(samples=8))
    image = network_images(case, drawn.grid, ("CT",))["CT"][0]
    assert tuple(drawn.maps) == ("brightness",)
    assert np.corrcoef(drawn.maps["brightness"].ravel(), image.abs().numpy().ravel())[0, 1] > 0.5
    found = predict(case, model_of(Mapped()), Settings(samples=1))
    assert tuple(found.uncertainty) == ("brightness", *MAPS)
    assert found.uncertainty["brightness"].shape == case.grid.shape


def test_a_map_seen_once_is_what_the_network_said(a_case, model_of):
    case = a_case()
    drawn = draw(case, model_of(Mapped()), Settings(samples=1))
    image = network_images(case, drawn.grid, ("CT",))["CT"][0]
    np.testing.assert_allclose(drawn.maps["brightness"], image.abs(), atol=2e-3)


def test_an_option_reaches_the_network_and_the_provenance(a_case, model_of):
    plain, sharp = (draw(a_case(), model_of(Switched()), Settings(1, options=o)) for o in ({}, {"sharpness": 3.0}))
    assert (plain.provenance["sharpness"], sharp.provenance["sharpness"]) == (1.0, 3.0)
    logits = [np.log(d.samples / (1 - d.samples)) for d in (plain, sharp)]
    np.testing.assert_allclose(logits[1], 3 * logits[0], atol=0.02)


@pytest.mark.parametrize(
    ("network", "options", "sentence"),
    [
        (Plain, {"gating": False}, r"^Given the option 'gating' for .*it has none\): leave it out\.$"),
        (Switched, {"gating": False}, r"an option that it has \(sharpness\)"),
        (Switched, {"sharpness": True}, r"^Given sharpness = 'True' for .*, wanted a value like 1\.0: correct it\.$"),
    ],
)
def test_an_option_that_a_system_does_not_have_is_refused(a_case, model_of, network, options, sentence):
    with pytest.raises(InputError, match=sentence):
        predict(a_case(), model_of(network()), Settings(1, options=options))


def test_what_gives_no_draws_is_no_segmenter_whatever_its_record_says(a_case, model_of):
    with pytest.raises(InputError, match=r"^Given a network of the system .* that gives no draws, wanted .*\.$"):
        predict(a_case(), model_of(torch.nn.Identity()))


def test_the_published_systems_declare_what_they_have(a_model):
    plain = SegResNet(Config(spatial_dims=2))
    has = (contract.DrawsWindows, contract.EncodesModalities, contract.HasOptions, contract.SamplesWholeVolume)
    assert [isinstance(a_model.network, kind) for kind in has] == [True, True, True, False]
    assert [isinstance(plain, kind) for kind in has] == [True, False, False, False]


@pytest.mark.parametrize("chosen", [("CT", "PET", "MR_T1"), ("CT", "MR_T1")], ids="+".join)
def test_engine_and_command_line_encode_the_same_way(a_case, a_model, chosen, monkeypatch):
    """Not joint in one and apart in the other: each call encodes one modality, and no bit differs."""
    encode, calls = type(a_model.network).encode, []
    monkeypatch.setattr(type(a_model.network), "encode", lambda net, x: calls.append(tuple(x)) or encode(net, x))
    case, settings = a_case().only(chosen), Settings(samples=2)
    alone = draw(case, a_model, settings)
    on_the_way = list(calls)
    kept = draw(case, a_model, settings, Encodings())
    assert set(on_the_way) == {(m,) for m in chosen}
    assert calls == 2 * on_the_way
    np.testing.assert_array_equal(alone.samples, kept.samples)
    assert alone.gates == kept.gates


@pytest.mark.parametrize("shape", [(16, 32, 30), (16, 32), (2, 32, 32)], ids=str)
def test_a_window_that_is_no_multiple_of_the_stride_on_every_axis_is_refused(a_case, model_of, shape):
    with pytest.raises(InputError, match=r"^Given a window of .* voxels, wanted multiples of 4 x 4 x 4: .*\.$"):
        predict(a_case(), model_of(Plain(), shape))


def test_each_axis_has_a_stride_of_its_own(a_case, model_of, monkeypatch):
    """2 x 16 x 16: the window is cut where it is longest, each axis down to its own stride and no further."""
    network = Plain(stride=(2, 16, 16))
    predict(a_case(), model_of(network, (6, 32, 32)), Settings(samples=1))
    assert {shape[2:] for shape in network.seen} == {(6, 32, 32)}
    monkeypatch.setattr(devices, "free_bytes", lambda device: 0)
    predict(a_case(), model_of(network, (6, 32, 32)), Settings(samples=1))
    assert network.seen[-1][2:] == (2, 16, 16)
    with pytest.raises(InputError, match="multiples of 2 x 16 x 16"):
        predict(a_case(), model_of(network, (6, 24, 32)))


def flat(modality="CT"):
    return Plain(modality, spatial_dims=2, stride=(4, 4))


def test_a_2d_network_goes_through_a_case_slice_by_slice(a_case, model_of):
    """12 slices in stacks of 8 and 4; in plane one window, which the case of 90 x 80 mm fills."""
    case, network = a_case(), flat()
    drawn = draw(case, model_of(network, (32, 32), (3.0, 3.0)), Settings(samples=1))
    assert network.seen == [(8, 2, 32, 32), (4, 2, 32, 32)]
    assert drawn.grid.spacing_kji_mm == (4.0, 3.0, 3.0)  # slices as far apart as they are
    image = network_images(case, drawn.grid, ("CT",))["CT"][0].numpy()
    assert drawn.samples.shape == (1, *drawn.grid.shape) == (1, *image.shape)
    np.testing.assert_allclose(np.log(drawn.samples[0] / (1 - drawn.samples[0])), 4 * image, atol=0.03)


def test_a_network_is_shown_mirrors_of_the_axes_that_it_looks_along():
    """(C, K, J, I): slices are mirrored along j and i."""
    assert mirrors(2) == [[], [3], [2], [2, 3]]
    assert (len(mirrors(3)), mirrors(3)[:2], mirrors(3)[-1]) == (8, [[], [3]], [1, 2, 3])


def test_each_mirrored_view_of_a_slice_is_mirrored_back(a_case, model_of):
    """A window as large as the slices: one view, seen through the four mirrors of a plane in turn."""
    case = a_case((5, 38, 38))
    drawn = draw(case, model_of(flat(), (32, 32), (3.0, 3.0)), Settings(samples=4))
    image = network_images(case, drawn.grid, ("CT",))["CT"][0].numpy()
    for sample in drawn.samples:
        np.testing.assert_allclose(np.log(sample / (1 - sample)), 4 * image, atol=0.03)


def test_short_of_memory_a_2d_network_sees_fewer_slices_before_smaller_ones(a_case, model_of, monkeypatch):
    network = flat()
    monkeypatch.setattr(devices, "free_bytes", lambda device: 2 * 32 * 32 / devices.SHARE_OF_FREE)
    found = predict(a_case(), model_of(network, (32, 32), (3.0, 3.0)), Settings(samples=1))
    assert {shape[0] for shape in network.seen} == {2}
    assert found.provenance["window"] == [2, 32, 32]
    assert devices.cut(network, (1, 32, 32)) == (1, 16, 32)


def test_the_yardstick_in_2d_takes_a_3d_case(a_case, model_of):
    torch.manual_seed(0)
    network = SegResNet(Config(spatial_dims=2, init_filters=8)).eval()
    case = a_case()
    found = predict(case, model_of(network, (32, 32), (4.0, 3.0, 3.0)), Settings(samples=2))
    assert found.probability.shape == case.grid.shape
    assert found.gates == {}
    assert found.probability.std() > 0


def test_a_picture_in_color_goes_through_a_2d_network(model_of):
    """One slice of 40 x 40: red in its left half. The network has four channels and looks at the first."""
    grid = Grid((40, 40, 1))
    colors = np.zeros((1, 40, 40, 3), np.float32)
    colors[:, :, :20, 0] = 255
    case = Case("x", grid, "RGB", {"RGB": Volume(colors, grid, "RGB")}, {"RGB": np.ones(grid.shape, bool)})
    network = flat("RGB")
    found = predict(case, model_of(network, (40, 40), (1.0, 1.0)), Settings(samples=1))
    assert network.seen == [(1, 4, 40, 40)]
    np.testing.assert_array_equal(found.labels, colors[..., 0] > 0)
