"""What the engine computes: cases, models and fusers kept between requests, and one method per kind of request."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from ...core.agreement import Agreement
from ...core.case import Case
from ...core.checks import check_finite, check_modality, check_spacing
from ...core.errors import CancelledError, input_error
from ...core.fusion import ROI_NAMES, Judgement
from ...models import devices, zoo
from ...networks.config import config_from
from ...preprocessing.fusion_sources import mr_of, with_one_mr
from ...tasks.segment.predict import predict
from ...tasks.segment.settings import Settings
from ..wire import protocol
from ..wire.pack import unpack
from .context import Context, Handler
from .encodings import Encodings
from .failures import UnknownCaseError

MOST_SAMPLES = 64
MOST_MARGIN_MM = 50
KEPT_MODELS = 3
KEPT_FUSIONS = 2


@dataclass
class OpenCase:
    """A case with what was computed for it. rois: given ones; lesion: a mask for the automatic ones; anatomy: the
    automatic ones without it, and made: the ROIs in use, both by the MR that is fused; rough: the MRs whose anatomy is
    of some voxels only; fusions: opened by the fuser, by what its pictures depend on; probed: what synthetic tumors
    were drawn into last; finding: held by who finds the anatomy, which takes long in a large volume, while `lock`, the
    pictures' one, is free."""

    case: Case
    rois: Any = None
    lesion: np.ndarray | None = None
    anatomy: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)
    rough: set[str] = field(default_factory=set)
    fusions: OrderedDict = field(default_factory=OrderedDict)
    encodings: dict[tuple[str, str], Encodings] = field(default_factory=dict)
    probed: Any = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    finding: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def is_large(self) -> bool:
        """Whether slices do not wait for the anatomy. Kept, since to see it may take a look at every voxel."""
        from ...preprocessing.rois import anatomy_takes_long

        return anatomy_takes_long(self.case)

    def has_anatomy(self, mri: str, may_be_rough: bool = False) -> bool:
        return mri in self.anatomy and (may_be_rough or mri not in self.rough)

    def keep_anatomy(self, mri: str, rois: Any, rough: bool = False) -> None:
        self.anatomy[mri] = rois
        (self.rough.add if rough else self.rough.discard)(mri)
        self.made.pop(mri, None)


class Workbench:
    """The state behind the handlers; all lanes use it at once."""

    def __init__(self) -> None:
        self._cases: dict[str, OpenCase] = {}
        self._models: OrderedDict[tuple[str, str], zoo.Model] = OrderedDict()
        self._fusers: dict[str, Any] = {}
        self._lock = threading.RLock()

    def handlers(self) -> dict[str, Handler]:
        """The table that the server works with."""
        return {
            "open": self.open,
            "rois": self.rois,
            "segment": self.segment,
            "fuse_slice": self.fuse_slice,
            "fuse_volume": self.fuse_volume,
            "judge_fusion": self.judge_fusion,
            "remove": self.remove,
            "probe": self.probe,
            "agree": self.agree,
            "close": self.close,
            "relieve": self.relieve,
        }

    def open(self, request: protocol.Open, context: Context) -> dict[str, Any]:
        case = unpack(request.case, context.arrays.map)
        if not isinstance(case, Case):
            raise input_error("an open request without a Case", "one in the field case", "send a case")
        check_case(case)
        opened = OpenCase(case, *_given_rois(request, context, case))
        self._cases[request.case_id] = opened
        return {"modalities": list(case.modalities)}

    def rois(self, request: protocol.ReplaceRois, context: Context) -> None:
        opened = self._case(request.case_id)
        rois, lesion = _given_rois(request, context, opened.case)
        with opened.lock:
            opened.rois, opened.lesion = rois, lesion
            opened.made.clear()  # the next picture takes the new ones; what is of CT and MR alone stays

    def close(self, request: protocol.Close, _: Context | None) -> None:
        if self._cases.pop(request.case_id, None) is None:
            raise _unknown(request.case_id)

    def relieve(self, *_: Any) -> None:
        """After the memory ran out: let go of everything that can be computed again."""
        for opened in list(self._cases.values()):
            with opened.lock:
                opened.encodings.clear()
                opened.fusions.clear()
                opened.probed = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def segment(self, request: protocol.Segment, context: Context) -> Any:
        _check_samples(request.samples)
        opened = self._case(request.case_id)
        case = opened.case
        if request.modalities is not None:
            case = case.only(request.modalities)
        context.progress(0.0, "loading the model")
        model = self._model(request.model, devices.choose(request.device))
        settings = Settings(request.samples, request.seed, context.progress, context.cancel, request.options)
        return predict(case, model, settings, self._encodings(opened, model))

    def fuse_slice(self, request: protocol.FuseSlice, context: Context) -> dict[str, np.ndarray | None]:
        fuser, fusion, settings, rough = self._fusion(request, context, may_be_rough=True)
        picture = fuser.slice(fusion, request.plane, request.index, settings, request.uncertainty, context.cancel)
        return {"image": picture.image, "uncertainty": picture.uncertainty, "rough": rough}

    def fuse_volume(self, request: protocol.FuseVolume, context: Context) -> dict[str, Any]:
        fuser, fusion, settings, _ = self._fusion(request, context)
        volume = fuser.volume(fusion, settings, context.progress, context.cancel)
        names = ("image", "uncertainty", "flicker", "provenance", "timings")
        return {name: getattr(volume, name) for name in names}

    def judge_fusion(self, request: protocol.JudgeFusion, context: Context) -> Judgement:
        from ...tasks.fuse.opened_case import flicker_of
        from ...tasks.fuse.predict import judged

        opened = self._case(request.case_id)
        image = unpack(request.image, context.arrays.map)
        _check_array(image, "the fused image", "f", opened.case)
        fusion = self._fusion(request, context)[1]
        context.progress(0.5, "scoring the fused image")
        drawn = {} if opened.rois is None else {name: getattr(opened.rois, name) for name in ROI_NAMES}
        masks = {name: mask for name, mask in drawn.items() if mask.any()}
        found = judged(image, fusion, opened.case, mr_of(opened.case, request.mri), opened.lesion, masks)
        return replace(found, flicker=flicker_of(image, fusion))

    def remove(self, request: protocol.Remove, context: Context) -> dict[str, Any]:
        from ...tasks.synthesize.removal_mask import removal_mask_in
        from ...tasks.synthesize.remove import remove

        opened = self._case(request.case_id)
        lesion = unpack(request.lesion, context.arrays.map)
        _check_array(lesion, "the lesion", "b", opened.case)
        if not 0 <= request.margin_mm <= MOST_MARGIN_MM:
            given = f"a margin of {request.margin_mm:g} mm"
            raise input_error(given, f"0 to {MOST_MARGIN_MM} mm", "choose one among these")
        context.progress(0.0, "loading the inpainter")
        model = self._model(request.model, devices.choose(request.device), zoo.load)
        case, mask = opened.case, lesion
        if lesion.any():
            mask = removal_mask_in(case, lesion, request.margin_mm)
        found = remove(case, mask, model, context.progress, context.cancel)
        volumes = {key: volume.array for key, volume in found.volumes.items()}
        return {"volumes": volumes, "removed": found.removed, "provenance": found.provenance}

    def probe(self, request: protocol.Probe, context: Context) -> dict[str, Any]:
        from .probing import ready_for, tried

        _check_samples(request.samples)
        opened, device = self._case(request.case_id), devices.choose(request.device)
        lesion = unpack(request.lesion, context.arrays.map)
        if lesion is not None:
            _check_array(lesion, "the lesion", "b", opened.case)
        context.progress(0.0, "loading the models")
        drawer, segmenter = self._model(request.synthesizer, device, zoo.load), self._model(request.model, device)
        inpainter = (lambda: self._model(request.inpainter, device, zoo.load)) if request.inpainter else None
        names = (request.synthesizer, request.inpainter, device)
        ready = ready_for(opened.probed, opened.case, lesion, drawer, inpainter, names, context)
        opened.probed = ready
        return tried(request, ready, segmenter, context)

    def agree(self, request: protocol.Agree, context: Context) -> Agreement:
        from ...metrics.agreement import agreement, with_lesion

        spacing = self._case(request.case_id).case.grid.spacing_kji_mm
        masks = {name: unpack(part, context.arrays.map) for name, part in request.masks.items()}
        lesion = unpack(request.lesion, context.arrays.map)
        found = agreement(masks, spacing)
        return found if lesion is None else with_lesion(found, lesion, masks, spacing)

    def _case(self, case_id: str) -> OpenCase:
        try:
            return self._cases[case_id]
        except KeyError:
            raise _unknown(case_id) from None

    def _model(
        self, model_id: str, device: str, load: Callable[[str, str], zoo.Model] = zoo.load_segmenter
    ) -> zoo.Model:
        """Loaded once and checked then; the least recently used gives way to a fourth."""
        with self._lock:
            key = (model_id, device)
            if key not in self._models:
                self._models[key] = load(model_id, device)
            self._models.move_to_end(key)
            while len(self._models) > KEPT_MODELS:
                self._models.popitem(last=False)
            return self._models[key]

    def _encodings(self, opened: OpenCase, model: zoo.Model) -> Encodings:
        """Those of this case by this model; another model's are let go, so that one bound holds for the case."""
        with opened.lock:
            key = (model.record.sha256, model.device)
            if key not in opened.encodings:
                opened.encodings.clear()
                opened.encodings[key] = Encodings()
            return opened.encodings[key]

    def _fusion(self, request: Any, context: Context, may_be_rough: bool = False) -> tuple[Any, Any, Any, bool]:
        """The fuser, the case opened by it, the settings, and whether the ROIs are rough, of a request to fuse."""
        opened = self._case(request.case_id)
        settings = _fusion_settings(request.settings)
        fuser = self._fuser(devices.choose(request.device))
        if context.cancel():  # never under the lock: who asks may be made to wait for somebody who wants it
            raise CancelledError
        mri = mr_of(opened.case, request.mri)
        pair = with_one_mr(opened.case, mri)
        if not (may_be_rough and opened.is_large):
            self._find_anatomy(opened, pair, mri, context)
        with opened.lock:
            key = (fuser.device, mri, settings.ct_window_hu)  # all else is the sliders' affair
            opened.fusions[key] = self._opened(opened, pair, fuser, key, settings, may_be_rough)
            opened.fusions.move_to_end(key)
            while len(opened.fusions) > KEPT_FUSIONS:
                opened.fusions.popitem(last=False)
            return fuser, opened.fusions[key], settings, opened.rois is None and mri in opened.rough

    def _opened(self, opened: OpenCase, pair: Case, fuser: Any, key: tuple, settings: Any, may_be_rough: bool) -> Any:
        """The case as the fuser has it, with the ROIs in use."""
        rois, there = self._rois(opened, pair, key[1], may_be_rough), opened.fusions.get(key)
        if there is None:
            return fuser.open(pair, rois, settings)
        return there if there.rois is rois else there.with_rois(rois)

    def _rois(self, opened: OpenCase, pair: Case, mri: str, may_be_rough: bool) -> Any:
        """Those in use; rough ones, after seconds, where soft tissue and bone have not been found yet and they do."""
        from ...preprocessing.rois import anatomy_rois, rough_rois, with_given

        if opened.rois is None and not opened.has_anatomy(mri, may_be_rough):
            opened.keep_anatomy(mri, (rough_rois if may_be_rough else anatomy_rois)(pair), rough=may_be_rough)
        if mri not in opened.made:
            opened.made[mri] = opened.rois or with_given(opened.anatomy[mri], opened.lesion)
        return opened.made[mri]

    def _find_anatomy(self, opened: OpenCase, pair: Case, mri: str, context: Context) -> None:
        """Soft tissue and bone, the same whatever the lesion is; slices are drawn by rough ones meanwhile."""
        from ...preprocessing.rois import anatomy_rois

        with opened.finding:
            with opened.lock:  # a slice that opens the case goes first: either would take every processor
                if opened.rois is not None or opened.has_anatomy(mri):
                    return
            context.progress(0.0, "finding soft tissue and bone")
            exact = anatomy_rois(pair)
            with opened.lock:
                opened.keep_anatomy(mri, exact)

    def _fuser(self, device: str) -> Any:
        from ...tasks.fuse import Fuser

        with self._lock:
            if device not in self._fusers:
                self._fusers[device] = Fuser.shipped(device)
            return self._fusers[device]


def check_case(case: Case) -> None:
    """Refuse a case whose arrays could not be computed with; its units were checked where it was read."""
    if not case.volumes:
        raise input_error("a case without an image", "at least one", "load an image")
    if missing := sorted(set(case.volumes) ^ set(case.valid)):
        raise input_error(
            f"{missing[0]} without its image or valid mask", "both for each modality", "align the case again"
        )
    check_spacing(case.grid.spacing_mm, "the case")
    for modality, volume in case.volumes.items():
        check_modality(modality, modality)
        _check_array(volume.array, modality, "fiu", case)
        check_finite(volume.array, modality)
        _check_array(case.valid[modality], f"the valid mask of {modality}", "b", case)


def _check_array(array: Any, name: str, kinds: str, case: Case) -> None:
    if not isinstance(array, np.ndarray) or array.shape != case.grid.shape or array.dtype.kind not in kinds:
        wanted = f"{'a mask' if kinds == 'b' else 'numbers'} of the case's shape {case.grid.shape}"
        shape, kind = getattr(array, "shape", ()), getattr(array, "dtype", type(array).__name__)
        raise input_error(f"{name} of shape {shape} and type {kind}", wanted, "align the case again")


def _check_samples(samples: int) -> None:
    if not 1 <= samples <= MOST_SAMPLES:
        raise input_error(f"{samples} samples", f"1 to {MOST_SAMPLES}", "choose a number among these")


def _given_rois(request: Any, context: Context, case: Case) -> tuple[Any, np.ndarray | None]:
    """The Rois and the lesion mask of a request, checked."""
    rois, lesion = (unpack(part, context.arrays.map) for part in (request.rois, request.lesion))
    masks = {} if rois is None else {name: getattr(rois, name, None) for name in ("soft", "bone", "lesion", "inside")}
    if lesion is not None:
        masks["lesion"] = lesion
    for name, mask in masks.items():
        _check_array(mask, f"the ROI {name}", "b", case)
    return rois, lesion


def _fusion_settings(values: dict[str, Any]) -> Any:
    from ...tasks.fuse import FusionSettings

    return config_from(FusionSettings, values)


def _unknown(case_id: str) -> UnknownCaseError:
    return UnknownCaseError(str(input_error(f"the case {case_id[:40]}", "a case that is open", "open it first")))
