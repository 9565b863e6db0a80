"""A model and cases so small that a whole run takes a fraction of a second."""

import os
import signal
from dataclasses import asdict, make_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from DiffuFuseMedLib import cli
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.fused import FusedVolume
from DiffuFuseMedLib.core.fusion import Fusion
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.presets import PRESETS
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.io.picture_pairs import write_picture
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.preprocessing.rois import Rois
from DiffuFuseMedLib.report import figures
from DiffuFuseMedLib.systems.clin_fusediff import Student, StudentConfig, Teacher, TeacherConfig
from DiffuFuseMedLib.systems.diffufusemed.network import Config, DiffuFuseMed
from DiffuFuseMedLib.tasks.segment.predict import draw
from DiffuFuseMedLib.tasks.segment.settings import Settings
from DiffuFuseMedLib.uncertainty.platt import to_logit

FIXTURES = ("evaluation_cases", "training_cases", "recipes", "fusion_stacks", "one_table", "panels", "inpainters")
pytest_plugins = [f"Testing.fixtures.{name}" for name in FIXTURES]

# Help pages and tables are read as text: the same on a narrow terminal and where colors are forced (GITHUB_ACTIONS).
os.environ.update(COLUMNS="200", NO_COLOR="1")
os.environ.pop("FORCE_COLOR", None)
# Under nohup SIGHUP is ignored, and SIGINT by what a script puts in the background; what a test starts would
# inherit it, and whoever waits for its effect waits for ever.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

STS_010 = Path(__file__).resolve().parents[1] / "Resources" / "SampleData" / "STS_010"
CONFIG = Config(
    stem_channels=8,
    channels=(16, 16, 16),
    blocks=(1, 1, 1),
    heads=(2, 2, 2),
    transformer_blocks=(1, 1, 1),
    diffusion_steps=(10, 10, 10),
)
WINDOW = {"shape": (16, 32, 32), "spacing_kji_mm": (3.5, 3.0, 3.0)}


@pytest.fixture(scope="session", autouse=True)
def a_state_of_its_own(tmp_path_factory):
    """Corrections that a session keeps by itself, in whichever process, never lie among those of whoever runs tests."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    yield
    os.environ.pop("XDG_STATE_HOME") if before is None else os.environ.update(XDG_STATE_HOME=before)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """These tensors are so small that a second thread only costs."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def coarse_pictures():
    """A report's with a twentieth of the pixels, which take most of the time that a small report takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "DPI", 22)
        yield


@pytest.fixture(scope="session")
def a_case():
    """A function (shape, name, center): CT, PET and MR_T1 with a hot, bright ball of 24 mm; voxels 4 x 2.5 x 2.5 mm.

    The MR says nothing in the last two columns of voxels.
    """

    def make(shape=(12, 36, 32), name="tiny", center=None):
        grid = Grid(shape[::-1], (2.5, 2.5, 4.0), (-20.0, 30.0, 100.0))
        middle = np.array(center or [n / 2 for n in shape])
        index = np.indices(shape, dtype=np.float32) + 0.5
        distance_mm = np.sqrt(sum(((x - c) * s) ** 2 for x, c, s in zip(index, middle, (4.0, 2.5, 2.5), strict=True)))
        ball = distance_mm < 24
        noise = np.random.default_rng(len(name)).standard_normal((3, *shape))
        arrays = {"CT": 40 + 20 * noise[0], "PET": np.maximum(1 + 7 * ball + 0.3 * noise[1], 0)}
        arrays["MR_T1"] = 400 + 250 * ball + 30 * noise[2]
        volumes = {m: Volume(a.astype(np.float32), grid, m) for m, a in arrays.items()}
        valid = {m: np.ones(shape, bool) for m in volumes}
        valid["MR_T1"][..., -2:] = False
        return Case(name, grid, "CT", volumes, valid, reference_mask=Volume(ball.astype(np.uint8), grid))

    return make


@pytest.fixture(scope="session")
def models(tmp_path_factory, a_case):
    """A models folder with "tiny": untrained, but with a head that calls about a fifth of a case lesion."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    network = DiffuFuseMed(CONFIG)
    for level in network.levels:  # starts at zero, which would hide what the diffusion does
        torch.nn.init.normal_(level.denoiser.out.weight, std=0.3)
    training = {"patients": ["trained_on"], "seed": 0}
    facts = {"id": "tiny", "system": "diffufusemed", "window": WINDOW, "licence": "none", "training": training}
    with torch.no_grad():  # an untrained head hardly differs from place to place
        network.decoder.head.weight.mul_(4)
    zoo.save(network, facts, folder / "tiny")
    samples = draw(a_case(), zoo.load("tiny", folder=folder), Settings(samples=2)).samples
    with torch.no_grad():
        network.decoder.head.bias -= float(np.quantile(to_logit(samples), 0.8))
    record = zoo.save(network, facts, folder / "tiny")
    volume = {"mean": 0.1, "sd": 0.3, "patients": 4, "level_spreads": [0.0, 0.1, 0.6, 0.9]}  # a range of the case's own
    volume["ratios"] = [0.2, 0.1, 0.5, -0.4]
    fitted = {"scale": 1.0, "offset": 0.0, "contour_width": 0.05}
    zoo.write_record(replace(record, calibration={"all": {**fitted, "volume": volume}}), folder / "tiny")
    return folder


@pytest.fixture(scope="session")
def fusion_models(tmp_path_factory):
    """A models folder with an untrained, narrow student and teacher of the fusion."""
    folder = tmp_path_factory.mktemp("fusion_models")
    torch.manual_seed(0)
    narrow = {"channels": (8, 16, 16), "condition": 16}
    heads = {"encoder_channels": 4, "head_features": (8, 8, 8, 16, 16, 8)}
    networks = {
        "student": Student(StudentConfig(**narrow, steps=20)),
        "teacher": Teacher(TeacherConfig(**narrow, **heads, steps=20)),
    }
    for name, network in networks.items():
        facts = {"id": f"clin-fusediff-{name}", "system": f"clin-fusediff-{name}", "window": {}, "licence": "none"}
        zoo.save(network, facts, folder / f"clin-fusediff-{name}")
    return folder


@pytest.fixture
def command(models, monkeypatch, capsys):
    """A function of arguments: runs main() on the models folder; returns (exit code, stdout, stderr)."""
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(models))

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["diffufusemed", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return (stopped.value.code or 0, *capsys.readouterr())

    return run


class _Page(HTMLParser):
    """tags: every tag with its attributes; text: what a reader sees; source: the HTML."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.text, self._style, self.source = [], "", False, source
        self.feed(source)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._style = tag == "style"

    def handle_endtag(self, tag):
        self._style = False

    def handle_data(self, data):
        self.text += "" if self._style else data + " "

    @property
    def images(self):
        return [attrs for tag, attrs in self.tags if tag == "img"]


@pytest.fixture(scope="session")
def page_of():
    """A function of a report's path: its page as .source, .text that a reader sees, .tags with attributes, .images."""
    return lambda path: _Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def a_model(models):
    return zoo.load("tiny", folder=models)


@pytest.fixture(scope="session")
def write_case():
    """A function (case, folder): its volumes and lesion as CT.nii.gz, ..., GTV.nii.gz."""

    def write(case, folder):
        folder.mkdir(parents=True)
        for name, volume in {**case.volumes, "GTV": case.reference_mask}.items():
            array = np.where(case.valid.get(name, True), volume.array, 0).astype(volume.array.dtype)
            sitk.WriteImage(volume.with_array(array).to_sitk(), str(folder / f"{name}.nii.gz"))
        return folder

    return write


@pytest.fixture(scope="session")
def a_real_folder(tmp_path_factory, write_case):
    """STS_010 around its lesion, every second voxel in plane, as a folder of files."""
    case = load_case(STS_010).cropped((14, 40, 40), (46, 124, 146))
    grid = replace(
        case.grid,
        size=(53, 42, 32),
        spacing_mm=tuple(s * f for s, f in zip(case.grid.spacing_mm, (2, 2, 1), strict=True)),
    )
    thin = {m: Volume(v.array[:, ::2, ::2], grid, m) for m, v in case.volumes.items()}
    valid = {m: v[:, ::2, ::2] for m, v in case.valid.items()}
    mask = Volume(case.reference_mask.array[:, ::2, ::2], grid)
    small = Case("STS_010", grid, "CT", thin, valid, reference_mask=mask)
    return write_case(small, tmp_path_factory.mktemp("real") / "STS_010")


@pytest.fixture(scope="session")
def a_fused_case(a_real_folder):
    """The real case and a Fusion of it made by hand: the plain average of CT and MR T1, the drawn lesion, bone above
    250 HU and sliders of the sarcoma preset with gamma moved to 0.6; uncertain by a tenth of how far both differ."""
    case = load_case(a_real_folder)
    ct = np.clip((case.volumes["CT"].array + 160) / 1000, 0, 1)
    mri = np.clip(case.volumes["MR_T1"].array / np.percentile(case.volumes["MR_T1"].array, 99.5), 0, 1)
    bone, inside = case.volumes["CT"].array > 250, case.volumes["CT"].array > -300
    source = {"soft": "inside the body, not bone", "bone": "above 250 HU", "lesion": "drawn"}
    lesion = case.reference_mask.array > 0
    rois = Rois(inside & ~bone, bone, lesion & inside, inside, "body", source)
    fused = FusedVolume(
        image=((ct + mri) / 2).astype(np.float32),
        uncertainty=(abs(ct - mri) / 10).astype(np.float32),
        flicker={"axial": 0.031, "coronal": 0.022, "sagittal": 0.02},
        provenance={
            "student": {"id": "average", "sha256": "cd" * 32, "config": {"width": 8}},
            "versions": {"numpy": "x"},
        },
        timings={"encode": 0.51, "slices": 2.25},
    )
    preset = PRESETS["soft-tissue-sarcoma"]
    settings = _settings(replace(preset, gamma=0.6), steps=2, guided=False, samples=1, seed=7)
    rows = {
        "fused": {"soft_ssim_mri": 0.912, "bone_psnr_ct": 21.44},
        "average": {"soft_ssim_mri": 0.5, "bone_psnr_ct": float("nan")},
    }
    notes = ("The bone mask was drawn by hand.",)
    return case, Fusion(case.grid, "MR_T1", fused, rois, settings, preset, rows, notes)


def _settings(preset, **others):
    """The preset's sliders with what else is set for a fusion, as a dataclass."""
    sliders = {k: v for k, v in vars(preset).items() if k not in ("name", "title", "reason")}
    return make_dataclass("Settings", [*sliders, *others])(**sliders, **others)


class _Average:
    """A fuser without a network: alpha sets how much of the MR goes into the picture."""

    def shipped(self, device="cpu"):
        return self

    def open(self, case, rois, settings):
        low, high = settings.ct_window_hu
        mri = next(v.array for m, v in case.volumes.items() if m.startswith("MR"))
        ct = np.clip((case.volumes["CT"].array - low) / (high - low), 0, 1)
        mri = np.clip(mri / np.percentile(mri, 99.5), 0, 1)
        return SimpleNamespace(ct=ct.astype(np.float32), mri=mri.astype(np.float32), grid=case.grid, rois=rois)

    def volume(self, opened, settings, progress=None, cancel=None):
        if progress:
            progress(0.5, "fusing")
        image = settings.alpha * opened.mri + (1 - settings.alpha) * opened.ct
        uncertainty = np.abs(opened.mri - opened.ct) / 2
        provenance = {"student": {"id": "average", "sha256": "ab" * 32}, **asdict(settings)}
        return FusedVolume(image, uncertainty, {"axial": 0.01}, provenance, {"fuse": 0.1})


@pytest.fixture(scope="session")
def an_average_fuser():
    """A fuser without a network: alpha sets how much of the MR goes into the picture."""
    return _Average()


@pytest.fixture(scope="session")
def a_pairs_folder(tmp_path_factory, a_real_folder):
    """Slices of the real case as 42 x 53 pictures; CT-MRI: series 20 with two and 33 with one, SPECT-MRI, in color: 41
    with one."""
    folder = tmp_path_factory.mktemp("pairs")
    read = lambda name: sitk.GetArrayFromImage(sitk.ReadImage(str(a_real_folder / f"{name}.nii.gz")))  # noqa: E731
    ct, mri = np.clip((read("CT") + 160) / 1000, 0, 1), read("MR_T1")
    mri = np.clip(mri / np.percentile(mri, 99.5), 0, 1)
    for name, k in (("20001", 12), ("20002", 16), ("33001", 20)):
        write_picture(ct[k], folder / "CT" / f"{name}.png")
        write_picture(mri[k], folder / "MRI" / f"{name}.png")
    write_picture(np.stack([ct[18], ct[18] / 2, 0 * ct[18] + 0.2], axis=-1), folder / "SPECT" / "41007.png")
    write_picture(mri[18], folder / "MRI" / "41007.png")
    return folder
