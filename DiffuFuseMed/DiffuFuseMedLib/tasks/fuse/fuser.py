"""Fuser: the student for the hand on the slider, the teacher for comparison, and what both need to be honest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from ... import __version__
from ...core.case import Case
from ...core.errors import CancelledError, input_error
from ...core.fused import FusedPicture, FusedVolume
from ...core.fusion_settings import FusionSettings
from ...core.parallel import each
from ...core.presets import check_values
from ...models import zoo
from ...networks.precision import computes_in_bfloat16, mixed_precision
from ...preprocessing.fusion_sources import mr_of
from ...preprocessing.gray import ct_gray, mr_gray
from ...preprocessing.rois import Rois
from ...systems.clin_fusediff import Components, Guidance, Pair, Student, Teacher
from .field_of_view import MrShare, blended, mr_share
from .lesion_border import accent, border_of
from .members import member, picture, sliders_of
from .opened_case import PLANES, FusionCase, border_distance_mm, check_rois, flicker_of, pair_of

Progress = Callable[[float, str], None]
Cancel = Callable[[], bool]
STUDENT, TEACHER = "clin-fusediff-student", "clin-fusediff-teacher"
OFF_BY = 0.1  # of the gray value: what the uncertainty is the probability of exceeding
LEAST_EDGE = 16  # a plane whose slices are thinner than this is not worth a picture
BATCH_PIXELS = 400_000
GUIDED_STEPS = 20
MOST_STEPS, MOST_SAMPLES = 4, 32


class Fuser:
    """Both networks with their records. The student runs in bfloat16 where it can, which its mixing weights bear."""

    def __init__(
        self, student: zoo.Model, teacher: zoo.Model | Callable[[], zoo.Model] | None = None, device: str = "cpu"
    ) -> None:
        """teacher: a model, or what loads it once it is wanted: no slider waits for it, or fails with it."""
        self.student, self._lent_teacher, self.device = student, teacher, device
        self.network: Student = in_fast_precision(student.network.eval(), device)

    @classmethod
    def shipped(cls, device: str = "cpu") -> Fuser:
        return cls(zoo.load(STUDENT, device), lambda: zoo.load(TEACHER, device), device)

    @cached_property
    def teacher(self) -> zoo.Model | None:
        return self._lent_teacher() if callable(self._lent_teacher) else self._lent_teacher

    def open(self, case: Case, rois: Rois, settings: FusionSettings) -> FusionCase:
        """Gray pictures of the CT and the case's first MR; raises InputError without either."""
        check(settings)
        mri = mr_of(case)
        check_rois(rois, case.grid)
        grays = (partial(ct_gray, window_hu=settings.ct_window_hu), mr_gray)
        ct, gray = each(lambda gray, m: gray(case.volumes[m], case.valid[m]), grays, ("CT", mri))
        masks = np.stack([rois.soft, rois.bone, rois.lesion, case.valid[mri]])
        border, share = (
            border_of(rois.lesion, case.grid.spacing_kji_mm),
            mr_share(case.valid[mri], case.grid.spacing_kji_mm),
        )
        return FusionCase(case.grid, ct, gray, masks, rois, border=border, share=share)

    def slice(
        self,
        case: FusionCase,
        plane: str,
        index: int,
        settings: FusionSettings,
        uncertainty: bool = True,
        cancel: Callable[[], bool] | None = None,
    ) -> FusedPicture:
        """One slice under the sliders; what does not depend on them is kept from the last time. Without uncertainty the
        picture is the same and costs one member of the ensemble instead of settings.samples. cancel: asked between
        members, whose work is kept; raises CancelledError."""
        case.check(plane, index)
        check(settings)
        pair, share = pair_of(case, plane, [index]), _share_of(case.share, plane, [index])
        if settings.guided:
            return self._guided_picture(pair, case.spacing_mm(plane), settings, uncertainty, cancel, share)
        key: tuple = (plane, index, settings.lambdas, settings.tau_mm, settings.seed, settings.steps)
        if settings.steps > 1:  # then x_t between the steps is the sliders' own picture
            key += (settings.alpha, settings.beta)
        members, count = case.components.get(key, []), settings.samples if uncertainty else 1
        for number in range(len(members), count):
            if number and cancel and cancel():
                raise CancelledError
            more = self._members(pair, case.spacing_mm(plane), settings, [number], share)
            members = case.remember(key, members + more)
        return self._fused(members[:count], settings, self._accent_of(case, key, members[0], settings), uncertainty)

    def picture(
        self, ct: np.ndarray, mri: np.ndarray, rois: Rois, settings: FusionSettings, tracer: bool = False
    ) -> FusedPicture:
        """A single registered pair, gray 0..1 (H, W); tracer: "ct" is the luminance of a PET or SPECT."""
        pair = self.opened_picture(ct, mri, rois, tracer)
        check(settings)
        if settings.guided:
            return self._guided_picture(pair, (1.0, 1.0), settings)
        members = self._members(pair, (1.0, 1.0), settings, range(settings.samples))
        border = border_of(rois.lesion, (1.0, 1.0))
        added = None if border is None else accent(members[0], border.picture().to(self.device))
        return self._fused(members, settings, added)

    def opened_picture(self, ct: np.ndarray, mri: np.ndarray, rois: Rois, tracer: bool = False) -> Pair:
        """The pair as the networks take it, the picture itself in its neighbors' place."""
        if ct.shape != mri.shape or ct.ndim != 2:
            raise input_error(f"pictures of {ct.shape} and {mri.shape}", "two (H, W) alike", "register them first")
        if rois.soft.shape != ct.shape:
            raise input_error(f"ROIs of {rois.soft.shape}", f"the pictures' {ct.shape}", "make them again")
        if min(ct.shape) < LEAST_EDGE:
            raise input_error(f"pictures of {ct.shape}", f"at least {LEAST_EDGE} pixels each way", "take larger ones")
        as_tensor = lambda x: torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))[None, None]  # noqa: E731
        masks = np.stack([rois.soft, rois.bone, rois.lesion, np.ones_like(rois.soft)]).astype(np.float32)
        three_mri, three_ct = (as_tensor(x).expand(1, 3, *x.shape) for x in (mri, ct))
        return Pair(three_mri, three_ct, torch.from_numpy(masks)[None], torch.tensor([float(tracer)]))

    def volume(
        self,
        case: FusionCase,
        settings: FusionSettings,
        progress: Progress | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> FusedVolume:
        """Every voxel from the three planes' pictures, averaged; the ensemble runs in the axial plane.

        guided: the teacher in the axial plane only, minutes on a CPU. Raises CancelledError."""
        check(settings)
        began = time.monotonic()
        if settings.guided:
            image, spread = self._guided_volume(case, settings, progress, cancel)
        else:
            image, spread = self._student_volume(case, settings, progress, cancel)
        networks = time.monotonic() - began
        uncertainty = self._calibrated(torch.from_numpy(spread)).numpy()
        flickers = flicker_of(image, case)
        timings = {"fusion": round(networks, 2), "flicker": round(time.monotonic() - began - networks, 2)}
        return FusedVolume(image, uncertainty, flickers, self.provenance(settings), timings)

    def provenance(self, settings: FusionSettings) -> dict:
        """The networks that drew by id and sha256, every setting, device, versions."""
        drew = {"student": self.student, **({"teacher": self.teacher} if settings.guided else {})}
        known = {role: model.record for role, model in drew.items() if model}
        return {
            **{role: {"id": record.id, "sha256": record.sha256} for role, record in known.items()},
            **asdict(settings),
            "device": self.device,
            "calibrated": bool(self.student.record.calibration),
            "versions": {"DiffuFuseMed": __version__, "torch": torch.__version__},
        }

    def _student_volume(
        self, case: FusionCase, settings: FusionSettings, progress: Progress | None, cancel: Cancel | None
    ) -> tuple[np.ndarray, np.ndarray]:
        shape = case.ct.shape
        planes = [p for p, a in PLANES.items() if p == "axial" or min(np.delete(shape, a)) >= LEAST_EDGE]
        jobs = [(p, 0) for p in planes] + [("axial", n) for n in range(1, settings.samples)]
        first: list[np.ndarray] = []
        others: list[np.ndarray] = []
        for done, (plane, number) in enumerate(jobs):
            tell = _part(progress, done, len(jobs), f"{plane} slices")
            volume = self._plane(case, settings, plane, number, tell, cancel)
            (first if number == 0 else others).append(volume)
        image = np.stack(first).mean(axis=0, dtype=np.float32)
        spread = np.stack([first[0], *others]).std(axis=0, dtype=np.float32) if others else np.zeros_like(image)
        return image, spread

    def _plane(
        self,
        case: FusionCase,
        settings: FusionSettings,
        plane: str,
        number: int,
        progress: Callable[[float], None],
        cancel: Cancel | None,
    ) -> np.ndarray:
        """The whole volume, slice by slice in one plane."""
        axis = PLANES[plane]
        count = case.ct.shape[axis]
        size = max(1, BATCH_PIXELS // (case.ct.size // count))
        out = np.empty((count, *np.delete(case.ct.shape, axis)), np.float32)
        for start in range(0, count, size):
            if cancel and cancel():
                raise CancelledError
            indices = list(range(start, min(start + size, count)))
            pair = pair_of(case, plane, indices)
            share = _share_of(case.share, plane, indices)
            parts = self._members(pair, case.spacing_mm(plane), settings, [number], share)[0]
            added = self._accent(case, parts, plane, indices) if settings.gamma else None
            out[indices] = picture(parts, settings, added)[:, 0].float().cpu().numpy()
            progress((start + len(indices)) / count)
        return np.ascontiguousarray(np.moveaxis(out, 0, axis))

    def _members(
        self,
        pair: Pair,
        spacing_mm: tuple[float, float],
        settings: FusionSettings,
        numbers: Iterable[int],
        share: Tensor | None = None,
    ) -> list[Components]:
        """share: (n, 1, H, W), the MR's of the picture; None where it has all of it."""
        pair = pair.to(self.device)
        members = [member(self.network, pair, settings, n, spacing_mm) for n in numbers]
        if share is None:
            return members
        return [blended(parts, pair.slice_ct, share.to(self.device)) for parts in members]

    def _accent_of(self, case: FusionCase, key: tuple, parts: Components, settings: FusionSettings) -> Tensor | None:
        """The slice's accent, kept like its components: a moved slider makes it no second time."""
        if not settings.gamma:
            return None
        if key not in case.accents:
            case.accents[key] = self._accent(case, parts, key[0], [key[1]])
        return case.accents[key]

    def _accent(self, case: FusionCase, parts: Components, plane: str, indices: list[int]) -> Tensor | None:
        """As registered, so alike for all members: the lesion's border is no matter of the registration's doubt."""
        distance = None if case.border is None else case.border.slices(plane, indices)
        return None if distance is None else accent(parts, distance.to(self.device))

    def _fused(
        self, members: list[Components], settings: FusionSettings, added: Tensor | None, uncertainty: bool = True
    ) -> FusedPicture:
        return self._judged([picture(m, settings, added)[0, 0].float() for m in members], uncertainty)

    def _judged(self, pictures: list[Tensor], uncertainty: bool) -> FusedPicture:
        """The first picture (H, W), and what the spread of all of them says where uncertainty is wanted."""
        image = pictures[0].cpu().numpy()
        if not uncertainty:
            return FusedPicture(image, None)
        spread = torch.stack(pictures).std(dim=0, correction=0)
        return FusedPicture(image, self._calibrated(spread).cpu().numpy())

    def _calibrated(self, spread: Tensor) -> Tensor:
        """Ensemble spread -> probability that the gray value is off by more than OFF_BY (calibrate.py)."""
        fitted = self.student.record.calibration or {"scale": 2.0, "offset": 4.0}
        return torch.sigmoid(fitted["scale"] * torch.log(spread.clamp(min=1e-4)) + fitted["offset"]).float()

    def _teacher(self) -> Teacher:
        if self.teacher is None:
            raise input_error("a fusion without its teacher", "the guided diffusion model", "install it or use --steps")
        return self.teacher.network

    def _guided(
        self,
        pair: Pair,
        spacing_mm: tuple[float, float],
        settings: FusionSettings,
        seed: int,
        cancel: Cancel | None,
        share: Tensor | None,
    ) -> Tensor:
        """Algorithm 1 on a batch of slices, (n, H, W)."""
        teacher, (height, width) = self._teacher(), pair.mri.shape[-2:]
        whole = pair.padded().to(self.device)
        lesions = whole.mask("lesion").cpu().numpy() > 0.5
        distance = torch.cat([border_distance_mm(m[0], spacing_mm) for m in lesions]).to(self.device)
        guidance = Guidance(modulated=settings.modulated, steps=GUIDED_STEPS, cancel=cancel)
        sliders = sliders_of(settings, len(whole.tracer), self.device)
        generator = torch.Generator().manual_seed(seed)
        try:
            with mixed_precision(self.device):
                fused = teacher.guided(whole, distance, sliders, guidance, generator)
        except InterruptedError as stopped:
            raise CancelledError from stopped
        drawn, ct = fused[..., :height, :width].float().cpu(), pair.slice_ct
        return (drawn if share is None else ct + share * (drawn - ct))[:, 0]

    def _guided_picture(
        self,
        pair: Pair,
        spacing_mm: tuple[float, float],
        settings: FusionSettings,
        uncertainty: bool = True,
        cancel: Cancel | None = None,
        share: Tensor | None = None,
    ) -> FusedPicture:
        seeds = range(settings.seed, settings.seed + (settings.samples if uncertainty else 1))
        drawn = [self._guided(pair, spacing_mm, settings, seed, cancel, share)[0] for seed in seeds]
        return self._judged(drawn, uncertainty)

    def _guided_volume(
        self, case: FusionCase, settings: FusionSettings, progress: Progress | None, cancel: Cancel | None
    ) -> tuple[np.ndarray, np.ndarray]:
        count = case.ct.shape[0]
        members = []
        for number in range(settings.samples):
            volume = np.empty(case.ct.shape, np.float32)
            for k in range(0, count, 4):
                some = list(range(k, min(k + 4, count)))
                tell = _part(progress, number * count + k, settings.samples * count, "guided diffusion")
                tell(0)
                pair = pair_of(case, "axial", some)
                seed = settings.seed + number
                share = _share_of(case.share, "axial", some)
                volume[some] = self._guided(pair, case.spacing_mm("axial"), settings, seed, cancel, share).numpy()
                tell(len(some))
            members.append(volume)
        return members[0], np.stack(members).std(axis=0, dtype=np.float32)


def in_fast_precision(student: Student, device: str) -> Student:
    """The student with its U-Net in bfloat16 where the processor computes in it: three times as fast as autocast, which
    leaves the norms in float32."""
    if computes_in_bfloat16(device):
        student.unet.to(torch.bfloat16)
    return student


def _share_of(share: MrShare | None, plane: str, indices: list[int]) -> Tensor | None:
    return None if share is None else share.slices(plane, indices)


def check(settings: FusionSettings) -> None:
    """Raises InputError for what no picture can be made with."""
    for name, most in (("steps", MOST_STEPS), ("samples", MOST_SAMPLES)):
        value = getattr(settings, name)
        if not isinstance(value, int) or not 1 <= value <= most:
            raise input_error(f"{name}={value!r}"[:60], f"a whole number from 1 to {most}", f"correct {name}")
    if not isinstance(settings.seed, int):
        raise input_error(f"seed={settings.seed!r}"[:60], "a whole number", "correct seed")
    check_values(settings)


def _part(progress: Progress | None, done: int, of: int, words: str) -> Callable[[float], None]:
    return (lambda share: progress((done + share) / of, words)) if progress else (lambda share: None)
