"""The real server round handlers that answer at once: a child process for tests of the panel, not of the networks.

The lesion is what takes up more than SUV 4, with two regions of doubt. The model "slow" is a run that lasts until it is
stopped, "crash" one that ends the process, "damaged" one whose weights are refused, "large" one without enough memory.
"""

import os
import sys
import time

import numpy as np
from DiffuFuseMedLib.core.errors import input_error
from DiffuFuseMedLib.core.fusion import Judgement
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.core.probed import ModelName, Probed
from DiffuFuseMedLib.core.voxels import Voxels
from DiffuFuseMedLib.engine.server.failures import UnknownCaseError
from DiffuFuseMedLib.engine.server.server import main
from DiffuFuseMedLib.engine.wire.pack import unpack
from DiffuFuseMedLib.preprocessing.rois import automatic_rois
from scipy.ndimage import distance_transform_edt

SUV = 4.0
CASES = {}


def open_case(request, context):
    CASES[request.case_id] = unpack(request.case, context.arrays.map)
    return {"modalities": list(CASES[request.case_id].modalities)}


def close_case(request, _):
    CASES.pop(request.case_id, None)


def case_of(request):
    if request.case_id not in CASES:
        raise UnknownCaseError("Given no such case, wanted one that is open: open it first.")
    return CASES[request.case_id]


def replace_rois(request, context):
    return None


def segment(request, context):
    case = case_of(request)
    MODELS.get(request.model, lambda _context: None)(context)
    modalities = request.modalities or list(case.modalities)
    probability = lesion_probability(case.volumes["PET"].array > SUV, "PET" in modalities)
    lesion = probability > 0.5
    entropy = (4 * np.log(2) * probability * (1 - probability)).astype(np.float32)
    ml = float(lesion.sum()) * case.grid.voxel_mm3 / 1000
    return Prediction(
        grid=case.grid,
        probability=probability,
        labels=lesion.astype(np.uint8),
        uncertainty=dict.fromkeys(("predictive_entropy", "expected_entropy", "mutual_information"), entropy),
        inner=probability > 0.7,
        outer=probability > 0.3,
        gates={key: 1 / len(modalities) for key in modalities},
        volume_ml=Interval(ml, 0.9 * ml, 1.1 * ml, "mL"),
        sample_volumes_ml=(ml,),
        provenance={
            **{name: getattr(request, name) for name in ("model", "samples", "seed")},
            "timings_s": {"network": 0.01},
            "notes": [],
        },
        samples=tuple(Voxels.of(probability > level) for level in (0.6, 0.6, 0.6, 0.4)),
    )


def lesion_probability(bright, seen_by_pet):
    """Sure but for two boxes at the border; without PET the lesion ends one voxel further in."""
    inside = np.where(bright, distance_transform_edt(bright), -distance_transform_edt(~bright))
    probability = 1 / (1 + np.exp(-3 * (inside - (0 if seen_by_pet else 1.5))))
    if bright.shape == (24, 40, 40):
        probability[10:15, 18:23, 26:34] = 0.45
        probability[10:15, 6:12, 18:23] = 0.55
    return probability.astype(np.float32)


def slow(context):
    for step in range(1000):
        if context.cancel():
            raise RuntimeError("stopped between steps")
        context.progress(step / 1000, f"sample {step}")
        time.sleep(0.02)


def crash(_context):
    sys.stderr.write("the last words\n")
    sys.stderr.flush()
    os._exit(3)


def damaged(_context):
    raise input_error("weights that are not those of their record", "the weights with its sha256", "install them again")


def large(_context):
    raise MemoryError("tried to allocate 7.38 GiB")


MODELS = {"slow": slow, "crash": crash, "damaged": damaged, "large": large}


def fused(case, settings):
    ct = case.volumes["CT"].array
    return np.clip((ct + 160) / 400 * settings["alpha"] + settings["beta"] / 4, 0, 1).astype(np.float32)


def fuse_slice(request, context):
    axis = {"axial": 0, "coronal": 1, "sagittal": 2}[request.plane]
    return {"image": np.take(fused(case_of(request), request.settings), request.index, axis), "uncertainty": None}


def fuse_volume(request, context):
    image = fused(case_of(request), request.settings)
    return {
        "image": image,
        "uncertainty": np.zeros_like(image),
        "provenance": {"model": "quick"},
        "timings": {"s": 0.1},
    }


def judge_fusion(request, context):
    """The regions are the automatic ones; the one score is the mean of what the host sent."""
    image = unpack(request.image, context.arrays.map)
    return Judgement(automatic_rois(case_of(request)), {"fused": {"SCD": float(image.mean())}})


def probe(request, context):
    """A ball that takes up SUV 9, at the place that is asked for or in a corner, and found as any other lesion is."""
    context.progress(0.5, "drawing the tumor")
    MODELS.get(request.model, lambda _context: None)(context)
    case = case_of(request)
    place = np.array(request.center_lps or case.grid.to_physical(np.array([8, 8, 6])))
    points = case.grid.to_physical(np.moveaxis(np.indices(case.grid.shape), 0, -1)[..., ::-1])
    tumor = np.linalg.norm(points - place, axis=-1) < request.diameter_mm / 2
    volumes = {key: volume.array.copy() for key, volume in case.volumes.items()}
    volumes["PET"][tumor] = 9
    row = Probed(request.diameter_mm, request.contrast, 14.0, 9.0, 0.61, 0.9, 0.0, request.seed)
    models = {"segmenter": ModelName(request.model, "a1"), "synthesizer": ModelName(request.synthesizer, "b2")}
    told = {"mask": tumor, "called": volumes["PET"] > SUV, "probed": row, "false_ml": 0.0, "models": models}
    return {"volumes": volumes, **told, "modalities": list(volumes), "center_lps": list(map(float, place)), "notes": []}


HANDLERS = {
    "open": open_case,
    "close": close_case,
    "rois": replace_rois,
    "segment": segment,
    "fuse_slice": fuse_slice,
    "fuse_volume": fuse_volume,
    "judge_fusion": judge_fusion,
    "probe": probe,
}

if __name__ == "__main__":
    main(lambda: HANDLERS)
