"""From a case and a model to a prediction, at toy size."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.errors import CancelledError, InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.lesion import OF_PET, uptake_totals
from DiffuFuseMedLib.models import devices, zoo
from DiffuFuseMedLib.networks.draw import Draw
from DiffuFuseMedLib.networks.inputs import network_images
from DiffuFuseMedLib.tasks.segment import sampling
from DiffuFuseMedLib.tasks.segment.fitted import calibration_for
from DiffuFuseMedLib.tasks.segment.predict import (
    assemble,
    draw,
    onto_case,
    predict,
)
from DiffuFuseMedLib.tasks.segment.settings import Settings
from DiffuFuseMedLib.tasks.segment.views import view_grids

KNOWN = ("CT", "PET", "MR_T1")
MAPS = ("predictive_entropy", "expected_entropy", "mutual_information")
FULL = (16, 32, 32)


def same(first, second):
    """Whether two predictions agree in every voxel and every number."""
    arrays = all(np.array_equal(first.uncertainty[m], second.uncertainty[m]) for m in MAPS)
    arrays &= all(np.array_equal(getattr(first, n), getattr(second, n)) for n in ("probability", "inner", "outer"))
    return arrays and (first.volume_ml, first.gates) == (second.volume_ml, second.gates)


@pytest.fixture(scope="module")
def a_prediction(a_case, a_model):
    """Of a case that is smaller than the window, two samples, seed 0."""
    return predict(a_case(), a_model, Settings(samples=2))


@pytest.fixture
def small_memory(a_model, monkeypatch):
    """A function (voxels, error, after): larger windows fail, the first `after` spared; returns those it was given."""
    segment, seen = type(a_model.network).segment, []

    def limit(voxels, error=torch.OutOfMemoryError, after=0):
        def segment_or_fail(self, tokens, *arguments, **options):
            shape = tuple(2 * n for n in next(iter(tokens[0].values())).shape[2:])  # stems lie at stride 2
            seen.append(shape)
            if np.prod(shape) > voxels and len(seen) > after:
                raise error("CUDA out of memory. Tried to allocate 20.00 GiB")
            return segment(self, tokens, *arguments, **options)

        monkeypatch.setattr(type(a_model.network), "segment", segment_or_fail)
        return seen

    return limit


def test_the_result_lies_on_the_cases_own_grid(a_case, a_prediction):
    case = a_case()
    assert a_prediction.grid == case.grid
    arrays = [a_prediction.probability, a_prediction.labels, a_prediction.inner, a_prediction.outer]
    assert {a.shape for a in [*arrays, *a_prediction.uncertainty.values()]} == {case.grid.shape}
    assert [a.dtype.name for a in arrays] == ["float32", "uint8", "bool", "bool"]
    assert tuple(a_prediction.uncertainty) == MAPS


def test_the_parts_of_a_prediction_agree_with_each_other(a_case, a_prediction):
    p, labels = a_prediction.probability, a_prediction.labels > 0
    assert 0 <= p.min() < 0.5 < p.max() <= 1
    assert 0.02 < labels.mean() < 0.6
    assert not (labels & (p <= 0.5)).any()
    assert not (a_prediction.inner & ~labels).any()
    assert not (labels & ~a_prediction.outer).any()
    volume = a_prediction.volume_ml
    assert volume.value == pytest.approx(labels.sum() * 25 / 1000)  # voxels of 4 x 2.5 x 2.5 mm
    assert volume.low <= volume.value <= volume.high
    assert len(a_prediction.sample_volumes_ml) == 2


def test_gates_sum_to_one_over_the_modalities_of_the_case(a_case, a_model, a_prediction):
    assert tuple(a_prediction.gates) == KNOWN
    assert sum(a_prediction.gates.values()) == pytest.approx(1)
    two = predict(a_case().only(("CT", "MR_T1")), a_model, Settings(samples=1)).gates
    assert tuple(two) == ("CT", "MR_T1")
    assert sum(two.values()) == pytest.approx(1)


def test_gating_off_gives_equal_gates(a_case, a_model, a_prediction):
    off = predict(a_case(), a_model, Settings(samples=1, options={"gating": False}))
    assert list(off.gates.values()) == pytest.approx([1 / 3] * 3)
    assert list(a_prediction.gates.values()) != pytest.approx([1 / 3] * 3, abs=1e-3)
    assert off.provenance["gating"] is False


def test_the_same_seed_gives_the_same_result(a_case, a_model, a_prediction):
    assert same(a_prediction, predict(a_case(), a_model, Settings(samples=2)))


def test_another_seed_gives_another_result(a_case, a_model, a_prediction):
    assert not same(a_prediction, predict(a_case(), a_model, Settings(samples=2, seed=1)))


def test_samples_differ_from_each_other(a_case, a_model):
    first, second = draw(a_case(), a_model, Settings(samples=2)).samples
    assert np.abs(first - second).max() > 1e-3


class Echo(torch.nn.Module):
    """A network that says what it sees in the CT."""

    stride = (16, 16, 16)

    def __init__(self, config):
        super().__init__()
        self.config = config

    def segment(self, images, generator=None):
        return Draw(images["CT"][:, :1])

    def memory_bytes(self, voxels, modalities):
        return voxels


def test_each_mirrored_sample_is_mirrored_back(a_case, a_model):
    """14 x 38 x 38 voxels just fill the window, so there is one view, seen through the eight mirrors in turn."""
    echo = replace(a_model, network=Echo(a_model.network.config))
    case = a_case((14, 38, 38))
    drawn = draw(case, echo, Settings(samples=8))
    logits = network_images(case, drawn.grid, ("CT",))["CT"][0].numpy()
    assert logits.std() > 0.02
    for sample in drawn.samples:
        np.testing.assert_allclose(np.log(sample / (1 - sample)), logits, atol=1e-4)


class OfOneNumber(Echo):
    """A draw is one number in the whole volume, whatever is seen."""

    def latent(self, generator):
        return torch.rand(1, generator=generator).item()

    def segment(self, images, generator=None, latent=None):
        return Draw(torch.full_like(images["CT"][:, :1], latent))


def test_what_a_draw_is_of_is_the_same_in_all_of_its_windows(a_case, a_model):
    network = OfOneNumber(a_model.network.config)
    one, other = draw(a_case((28, 60, 84)), replace(a_model, network=network), Settings(samples=2, looks=False)).samples
    for sample in (one, other):
        np.testing.assert_allclose(sample, sample.flat[0], atol=1e-6)
    assert abs(one.flat[0] - other.flat[0]) > 0.01


def test_more_samples_start_with_the_same_ones(a_case, a_model):
    two, three = (draw(a_case(), a_model, Settings(samples=k)).samples for k in (2, 3))
    np.testing.assert_array_equal(two, three[:2])


def test_the_drawn_lesion_is_never_an_input(a_case, a_model, a_prediction):
    assert same(a_prediction, predict(replace(a_case(), reference_mask=None), a_model, Settings(samples=2)))


def test_voxels_of_a_modality_that_is_switched_off_change_nothing(a_case, a_model):
    case = a_case()
    loud = replace(case, volumes={**case.volumes, "PET": case.volumes["PET"].with_array(case.volumes["CT"].array + 9)})
    on = [predict(c, a_model, Settings(samples=1)) for c in (case, loud)]
    off = [predict(c.only(("CT", "MR_T1")), a_model, Settings(samples=1)) for c in (case, loud)]
    assert same(*off)
    assert not same(*on)


def test_voxels_beyond_the_field_of_view_change_nothing(a_case, a_model, a_prediction):
    case = a_case()
    array = np.where(case.valid["MR_T1"], case.volumes["MR_T1"].array, np.float32(3000))
    loud = replace(case, volumes={**case.volumes, "MR_T1": case.volumes["MR_T1"].with_array(array)})
    assert same(a_prediction, predict(loud, a_model, Settings(samples=2)))


def test_refuses_a_case_without_any_modality_that_the_model_knows(a_case, a_model):
    with pytest.raises(
        InputError, match=r"^Given a case with no modality, wanted at least one of CT, PET, MR_T1: .*\.$"
    ):
        predict(a_case().only(("SPECT",)), a_model)


def test_refuses_a_model_that_does_not_segment(a_case, fusion_models, models, monkeypatch):
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(models))
    student = zoo.load("clin-fusediff-student", folder=fusion_models)
    for ask in (lambda: predict(a_case(), student), lambda: draw(a_case(), student, Settings())):
        with pytest.raises(InputError, match=r"^Given the model clin-fusediff-student, which fuses, .*\(tiny\)"):
            ask()


def test_a_case_larger_than_the_window_is_seen_in_windows_at_two_scales(a_case, a_model, small_memory):
    """28 x 60 x 84 voxels: 32 x 50 x 70 of the network, and 25 x 39 x 54 in the second view, 1.3 times larger."""
    windows = small_memory(10**9)
    drawn = draw(a_case((28, 60, 84)), a_model, Settings(samples=2))
    assert drawn.samples.shape == (2, 32, 50, 70)
    assert set(windows) == {FULL}
    # steps of half a window: ceil(32 / 8) - 1, ceil(50 / 16) - 1, ceil(70 / 16) - 1; and the same of 25, 39, 54
    assert len(windows) == 3 * 3 * 4 + 3 * 2 * 3


def test_the_second_view_of_a_slightly_larger_case_just_fills_the_window():
    grid = Grid((40, 36, 18), (3.0, 3.0, 3.5), (5.0, 6.0, 7.0))
    own, whole = view_grids(grid, FULL)
    assert own == grid
    assert all(n <= w for n, w in zip(whole.shape, FULL, strict=True))
    assert whole.spacing_mm == pytest.approx([s * 40 / 32 for s in grid.spacing_mm])
    first = [x - s / 2 for x, s in zip(whole.origin, whole.spacing_mm, strict=True)]
    assert first == pytest.approx([x - s / 2 for x, s in zip(grid.origin, grid.spacing_mm, strict=True)])


@pytest.mark.parametrize(("shape", "zoom"), [((8, 8, 8), 0.8), ((16, 28, 20), 1.0), ((16, 32, 128), 1.3)])
def test_no_view_is_scaled_further_than_training_showed(shape, zoom):
    """(16, 28, 20) fills the window already: 28 / 32 is below 1, 16 / 16 is not."""
    grids = view_grids(Grid(shape[::-1]), FULL)
    assert [g.spacing_mm[0] for g in grids] == pytest.approx([1.0] if zoom == 1 else [1.0, zoom])


def test_progress_rises_from_0_to_1(a_case, a_model):
    told = []
    predict(a_case(), a_model, Settings(samples=3, progress=lambda share, what: told.append((share, what))))
    shares = [share for share, _ in told]
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert all(a < b for a, b in pairwise(shares))
    assert told[1][1] == "sample 2 of 3"


def test_cancel_stops_between_two_windows(a_case, a_model, small_memory):
    windows = small_memory(10**9)
    with pytest.raises(CancelledError):
        predict(a_case((28, 60, 84)), a_model, Settings(samples=4, cancel=lambda: len(windows) >= 2))
    assert len(windows) == 2


def test_a_cancelled_run_leaves_nothing_behind(a_case, a_model, a_prediction):
    asked = iter([False, False, True])
    with pytest.raises(CancelledError):
        predict(a_case(), a_model, Settings(samples=2, cancel=lambda: next(asked)))
    assert same(a_prediction, predict(a_case(), a_model, Settings(samples=2)))


def test_out_of_memory_halves_the_window_and_says_so(a_case, a_model, small_memory):
    windows = small_memory(16 * 32 * 16)
    prediction = predict(a_case(), a_model, Settings(samples=1))
    assert list(dict.fromkeys(windows)) == [FULL, (16, 16, 32)]
    assert prediction.provenance["window"] == [16, 16, 32]
    told = "The window was cut from 16 x 32 x 32 to 16 x 16 x 32 voxels because the device ran out of memory."
    assert prediction.provenance["notes"] == [told]


def test_after_out_of_memory_the_same_seed_still_gives_the_same_result(a_case, a_model, small_memory):
    windows = small_memory(16 * 32 * 16, after=1)  # the first sample still went well
    settings = Settings(samples=2)
    failed = predict(a_case(), a_model, settings)
    cut = replace(a_model, record=replace(a_model.record, window={**a_model.record.window, "shape": [16, 16, 32]}))
    assert windows[:3] == [FULL, FULL, (16, 16, 32)]
    assert same(failed, predict(a_case(), cut, settings))


def test_the_cpus_out_of_memory_is_known_by_its_words(a_case, a_model, small_memory):
    def cpu_error(_):
        return RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory")

    small_memory(16 * 32 * 16, cpu_error)
    assert predict(a_case(), a_model, Settings(samples=1)).provenance["window"] == [16, 16, 32]


def test_refuses_in_one_sentence_when_the_smallest_window_does_not_fit(a_case, a_model, small_memory):
    windows = small_memory(0)
    with pytest.raises(InputError, match=r"^Given [\d.]+ GiB of free memory, wanted .* smallest window: [^.]*\.$"):
        predict(a_case(), a_model, Settings(samples=1))
    assert windows[-1] == (16, 16, 16)


def test_other_errors_are_not_swallowed(a_case, a_model, small_memory):
    windows = small_memory(0, lambda _: RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        predict(a_case(), a_model, Settings(samples=1))
    assert len(windows) == 1


def test_a_window_that_would_not_fit_is_cut_beforehand(a_case, a_model, small_memory, monkeypatch):
    windows = small_memory(10**9)
    needed = devices.predicted_bytes(a_model, (16, 16, 32))
    monkeypatch.setattr(devices, "free_bytes", lambda device: int(needed / devices.SHARE_OF_FREE) + 8)
    prediction = predict(a_case(), a_model, Settings(samples=1))
    assert set(windows) == {(16, 16, 32)}
    assert "16 x 16 x 32 voxels because 0.0 GiB would not have fitted" in prediction.provenance["notes"][0]


def test_a_validation_patient_gets_what_was_fitted_without_it(a_case, a_model):
    fitted = {**a_model.record.calibration["all"]}
    without = {"tiny": {**fitted, "scale": 2.0, "contour_width": 3.0}}
    record = replace(a_model.record, calibration={"all": fitted, "without": without})
    assert calibration_for(record, "tiny", KNOWN) == without["tiny"]
    assert calibration_for(record, "another", KNOWN) == fitted
    own, other = (
        predict(a_case(name=n), replace(a_model, record=record), Settings(samples=1)) for n in ("tiny", "case")
    )
    assert own.outer.sum() > other.outer.sum()


def test_a_model_without_a_calibration_is_refused_before_it_draws(a_case, a_model):
    record = replace(a_model.record, calibration={})
    with pytest.raises(InputError, match=r"the model tiny without a calibration.*diffufusemed calibrate"):
        predict(a_case(), replace(a_model, record=record, network=None), Settings(samples=1))


def measured_in_pet(model):
    """The model with errors in numbers of PET, of some patients of which it was unsure."""
    errors = {"mean": 0.1, "sd": 0.2, "patients": 4, "level_spreads": [0.0, 0.1, 0.6, 0.9]}
    errors["ratios"] = [0.2, 0.1, 0.5, -0.4]
    fitted = {**model.record.calibration["all"], "uptake": dict.fromkeys(OF_PET, errors)}
    return replace(model, record=replace(model.record, calibration={"all": fitted}))


def test_numbers_in_pet_have_intervals_where_errors_in_them_were_measured(a_case, a_model):
    case = a_case()
    found = predict(case, measured_in_pet(a_model), Settings(samples=2))
    totals = uptake_totals(found.labels > 0, case)
    assert {name: interval.value for name, interval in found.uptake.items()} == pytest.approx(totals)
    assert [found.uptake[name].unit for name in OF_PET] == ["g/mL", "mL", "g"]
    assert all(low < interval.value < high for interval in found.uptake.values() for low, high in [interval.ends])
    assert predict(case, a_model, Settings(samples=1)).uptake == {}
    no_pet = predict(case.only(("CT", "MR_T1")), measured_in_pet(a_model), Settings(samples=1))
    assert no_pet.uptake == {} and no_pet.volume_ml.value > 0


def test_no_range_is_given_of_a_case_that_the_model_is_not_for(a_case, a_model):
    model = replace(
        measured_in_pet(a_model), record=replace(measured_in_pet(a_model).record, domain={"needed": ["SPECT"]})
    )
    found = predict(a_case(), model, Settings(samples=1))
    assert found.volume_ml.ends is None
    assert "the model was not made for such a case" in found.volume_ml.withheld
    assert set(found.uptake) == set(OF_PET) and not any(interval.ends for interval in found.uptake.values())
    assert all("the model was not made for" in interval.withheld for interval in found.uptake.values())
    assert any("missing: SPECT" in sentence for sentence in found.outside)
    assert set(found.outside) <= set(found.provenance["notes"])


def test_provenance_tells_how_the_result_came_to_be(a_model, a_prediction):
    told = a_prediction.provenance
    assert (told["model"], told["sha256"], told["samples"], told["seed"]) == ("tiny", a_model.record.sha256, 2, 0)
    assert (told["modalities"], told["device"], told["window"]) == (list(KNOWN), "cpu", list(FULL))
    assert set(told["versions"]) == {"DiffuFuseMed", "torch", "numpy", "SimpleITK"}
    assert set(told["timings_s"]) == {"network", "assembly"}


def test_the_border_stays_half_way_where_the_grid_gets_finer():
    """Logits -4 and 4 in voxels of 4 mm: probability a half in the middle, and surely no lesion beyond the grid."""
    probability = 1 / (1 + np.exp(np.array([[[4.0, -4.0]]])))
    coarse, fine = Grid((2, 1, 1), (4.0, 4.0, 4.0)), Grid((7, 1, 1), (1.0, 4.0, 4.0), (-1.0, 0.0, 0.0))
    found = onto_case(probability, coarse, fine)[0, 0]
    assert np.log(found[1:6] / (1 - found[1:6])) == pytest.approx([4 * x for x in (-1, -0.5, 0, 0.5, 1)], abs=1e-3)
    far = onto_case(probability, coarse, Grid((1, 1, 1), (1.0, 1.0, 1.0), (50.0, 0.0, 0.0)))
    assert far.item() < 1e-3


@pytest.mark.parametrize(("looks", "different"), [(True, 4), (False, 1)])
def test_samples_differ_by_mirror_and_view_only_where_they_may(a_case, a_model, monkeypatch, looks, different):
    seen, look = [], sampling._look

    def spy(run, images, mirror, generator, grid):
        seen.append((tuple(mirror), grid))
        return look(run, images, mirror, generator, grid)

    monkeypatch.setattr(sampling, "_look", spy)
    draw(a_case((20, 40, 40)), a_model, Settings(samples=4, looks=looks))
    assert len(seen) == 4
    assert sum(one not in seen[:n] for n, one in enumerate(seen)) == different


class _Store:
    """A host's store that notes what is kept."""

    def __init__(self):
        self.kept = {}

    def __call__(self, key, make):
        return self.kept.setdefault(key, make())

    def clear(self):
        self.kept.clear()


def test_an_absent_modality_may_be_the_first_that_is_there_once_more(a_case, a_model, monkeypatch):
    """Diff4MMLiTS, III.C; otherwise it has no part."""
    seen, encode = {}, a_model.network.encode

    def noted(images):
        seen.update(images)
        return encode(images)

    monkeypatch.setattr(a_model.network, "encode", noted)
    case, store = a_case().only(["PET"]), _Store()
    plain = predict(case, a_model, Settings(samples=1))
    assert set(seen) == {"PET"} and "duplicated" not in plain.provenance
    doubled = predict(case, a_model, Settings(samples=1, duplicate=True), store)
    assert set(seen) == set(a_model.modalities)
    assert all(torch.equal(x, seen["PET"]) for x in seen.values())
    assert doubled.provenance["duplicated"] == "PET" and doubled.provenance["modalities"] == ["PET"]
    assert not np.array_equal(doubled.probability, plain.probability)
    assert not store.kept  # a kept encoding of CT is CT's


def test_nothing_is_duplicated_where_all_are_there(a_case, a_model):
    case = a_case().only(a_model.modalities)
    one, other = (predict(case, a_model, Settings(samples=1, duplicate=d)) for d in (False, True))
    assert np.array_equal(one.probability, other.probability)


@pytest.mark.parametrize(("likely", "shown"), [(0.03, False), (0.2, True)])
def test_the_outer_contour_encloses_a_slab_beside_the_lesion_only_where_it_may_be_lesion(
    a_case, a_model, likely, shown
):
    case = a_case()
    drawn = draw(case, a_model, Settings(samples=1))
    samples = np.full_like(drawn.samples, 1e-4)
    samples[..., 2:6, 2:6], samples[..., -3:] = 0.99, likely
    fitted = {**a_model.record.calibration["all"], "contour_width": 6.0}
    found = assemble(case, replace(drawn, samples=samples), fitted)
    assert found.outer[found.labels > 0].all() and found.labels.any()
    assert found.outer[..., -2:].any() == shown


def test_what_decides_in_a_panel_lies_inside_the_outer_contour_though_others_deny_it(a_case, a_model):
    case = a_case()
    drawn = draw(case, a_model, Settings(samples=1))
    samples = np.full((12, *drawn.grid.shape), 1e-4, np.float32)
    samples[0, ..., 2:8, 2:8] = 0.99
    fitted = {**a_model.record.calibration["all"], "contour_width": 6.0}
    found = assemble(case, replace(drawn, samples=samples, deciding=1), fitted)
    assert (found.labels > 0).any() and found.outer[found.labels > 0].all()
