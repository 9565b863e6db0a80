"""How live the fusion is, measured on small cases with untrained networks: what is measured, not how fast it is."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.benchmark.efficiency import PeakMemory
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.preprocessing.load import load_case

from benchmarks import live as module
from benchmarks.live import bench_live, brain_sized, lesion_slice, stacked_pairs

VALUES = 4


@pytest.fixture(scope="module")
def models(fusion_models):
    return fusion_models


@pytest.fixture(autouse=True)
def small(monkeypatch, models):
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(models))
    monkeypatch.setattr(module, "EDGE", 64)
    monkeypatch.setattr(module, "SLAB", 6)


@pytest.fixture(scope="module")
def a_pairs_folder(tmp_path_factory):
    """Three CT-MRI pairs of 40 x 48 pixels of one series, one of another."""
    folder = tmp_path_factory.mktemp("pairs")
    down, across = np.mgrid[:40, :48]
    head = np.hypot(down - 20, across - 24)
    pictures = {
        "CT": 250 * ((head < 18) & (head > 15)) + 90 * (head < 15),
        "MRI": 120 * (head < 15) + down * (head < 15),
    }
    for kind, picture in pictures.items():
        (folder / kind).mkdir()
        for name in ("07001", "07002", "07003", "08001"):
            sitk.WriteImage(sitk.GetImageFromArray(picture.astype(np.uint8)), str(folder / kind / f"{name}.png"))
    return folder


@pytest.fixture(scope="module")
def measured(a_real_folder, fusion_models):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIFFUFUSEMED_MODELS", str(fusion_models))
        patch.setattr(module, "EDGE", 64)
        patch.setattr(module, "SLAB", 6)
        yield bench_live(a_real_folder, device="cpu", values=VALUES)


def numbers(figures):
    """Every number in nested figures, by its path."""
    for key, value in figures.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", x) for inner, x in numbers(value))
        elif isinstance(value, (int, float)):
            yield key, value


def test_every_number_is_finite_and_positive(measured):
    found = dict(numbers(measured))
    assert len(found) > 30
    assert not {name: x for name, x in found.items() if not (math.isfinite(x) and x >= 0)}
    told = ("engine_start_s", "first_ms", "p50_ms", "p95_ms", "volume_s", "guided_slice_s", "peak_memory_mib")
    assert all(found[name] > 0 for name in told)


@pytest.mark.parametrize("name", ["STS_010", "64x64"])
def test_each_case_is_dragged_by_three_sliders_and_scrolled(measured, name):
    figures = measured["cases"][name]
    assert list(figures["sliders"]) == ["alpha", "beta", "gamma"]
    rows = [*figures["sliders"].values(), figures["alpha_at_60_hz"], figures["scrolling"]]
    assert all(0 < row["p50_ms"] <= row["p95_ms"] for row in rows)
    assert [row["pictures"] for row in figures["sliders"].values()] == [VALUES] * 3
    assert 1 <= figures["alpha_at_60_hz"]["pictures"] <= VALUES
    assert figures["scrolling"]["pictures"] == VALUES
    assert figures["p95_ms"] == max(row["p95_ms"] for row in figures["sliders"].values())


def test_the_worst_case_is_the_figure(measured):
    for name in ("p50_ms", "p95_ms", "first_ms"):
        assert measured[name] == max(case[name] for case in measured["cases"].values())
    assert measured["cases"]["64x64"]["picture"] == [64, 64]
    assert "resampled" in measured["cases"]["64x64"]["made_from"]
    assert "device cpu" in measured["machine"]


def test_says_what_is_missed():
    figures = {"p95_ms": 151.0, "volume_s": 20.0}
    assert module._judged(figures, "cpu")["missed"] == ["p95_ms 151, wanted 150"]
    assert len(module._judged(figures, "cuda:0")["missed"]) == 2


def test_a_brain_sized_case_shows_the_same_patient_at_the_lesion(a_real_folder):
    case = load_case(a_real_folder)
    made = brain_sized(case)
    assert made.grid.shape == (6, 64, 64)
    assert made.grid.spacing_mm[0] == made.grid.spacing_mm[1] == pytest.approx(max(case.grid.extent_mm[:2]) / 64)
    drawn = (case.reference_mask.array > 0)[lesion_slice(case)].sum() * math.prod(case.grid.spacing_mm[:2])
    kept = (made.reference_mask.array > 0)[lesion_slice(made)].sum() * math.prod(made.grid.spacing_mm[:2])
    assert kept == pytest.approx(drawn, rel=0.1)
    for modality, volume in made.volumes.items():
        seen = volume.array[made.valid[modality]]
        assert case.volumes[modality].array.min() <= seen.min() < seen.max() <= case.volumes[modality].array.max()
    assert not made.valid["CT"][:, -1].any()  # padding: the real case is wider than it is high


def test_the_lesions_slice_is_that_with_most_of_it(a_case):
    case = a_case((12, 36, 32), center=(3, 18, 16))
    assert lesion_slice(case) in (2, 3)
    assert lesion_slice(case.cropped((10, 0, 0), (12, 36, 32))) == 1


def test_real_pairs_are_one_series_as_a_case(a_pairs_folder):
    case = stacked_pairs(a_pairs_folder)
    assert case.grid.shape == (3, 40, 48)
    assert (case.volumes["CT"].array.max(), case.volumes["MR_T1"].array.max()) == (250, 154)


def test_pairs_without_ct_are_refused(a_pairs_folder, tmp_path):
    for kind in ("PET", "MRI"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "1.png").write_bytes((a_pairs_folder / "MRI" / "07001.png").read_bytes())
    with pytest.raises(InputError, match="without CT/"):
        stacked_pairs(tmp_path)


@pytest.fixture
def a_busy_child():
    """A Python that takes 200 MB when it gets a line, for a moment, and then answers one."""
    code = "import time; input(); block = bytearray(b'x') * 200_000_000; time.sleep(0.3); print(len(block), flush=True)"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as child:
        yield child


def test_peak_memory_watches_another_process(a_busy_child):
    with PeakMemory(a_busy_child.pid) as memory:
        a_busy_child.stdin.write("\n")
        a_busy_child.stdin.flush()
        a_busy_child.stdout.readline()
    assert memory.peak_bytes - memory.before_bytes > 150e6
    assert memory.before_bytes < 50e6  # a bare Python, without this process' PyTorch


def test_the_command_writes_its_figures(command, a_real_folder, a_pairs_folder, tmp_path):
    path = tmp_path / "deep" / "live.json"
    options = ["--json", path, "--case", a_real_folder, "--pairs", a_pairs_folder, "--values", 2, "--device", "cpu"]
    code, said, err = command("live", *options)
    assert code == 0, err
    figures = json.loads(path.read_text())
    assert figures == json.loads(said)
    assert figures["cases"]["40x48"]["made_from"] == "the first CT-MRI series of --pairs"
    assert figures["cases"]["40x48"]["picture"] == [40, 48]


def test_models_that_are_not_there_are_one_sentence(command, a_real_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(tmp_path))
    code, said, err = command("live", "--case", a_real_folder, "--values", 2)
    assert (code, said, "Traceback" in err) == (2, "", False)
    assert err.startswith("Given the model 'clin-fusediff-student'")
