"""Saved: a case and its prediction as a scene keeps them: arrays in volumes and segments, the rest as JSON."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..core.case import Alignment, Case
from ..core.errors import InputError, input_error
from ..core.grid import Grid
from ..core.maps import of_prediction, role_of
from ..core.prediction import Interval, Prediction
from ..core.suv_units import FACTORS, WHY_NOT
from ..core.volume import Volume
from ..core.voxels import Voxels
from ..io.scene_files.nodes import LARGEST_BYTES, parsed_nodes
from ..mrml import segmentations, tables, volumes
from ..mrml.nodes import find
from ..mrml.volumes import ROLE
from ..review import Review
from . import saved_checks
from .probe_tally import Tried, tries_of, words_of

CASE, PREDICTION, REVIEW = "DiffuFuseMed case", "DiffuFuseMed prediction", "DiffuFuseMed review"
OUTLINES = "DiffuFuseMed outlines"
PROBES = "DiffuFuseMed probes"
KEPT = "decided"
VALID = "valid"  # one volume, a bit for each modality
KEPT_META = (
    "name",
    "units",
    "body_part",
    "source",
    "series_description",
    "frame_of_reference",
    "notes",
    FACTORS,
    WHY_NOT,
)
FORMAT = 1


def check_ours(path: Path) -> None:
    """Raises InputError for a scene file whose .mrml has no case of this program, before anything of it is loaded.

    A file that cannot be looked into, or has more than one, is left to load_scene(), which refuses it in its own words.
    """
    if not path.is_file():  # a pipe, say, would be waited at for ever
        return
    try:
        with zipfile.ZipFile(path) as archive:
            found = [m for m in archive.infolist() if m.filename.endswith(".mrml")]
            if len(found) != 1 or found[0].file_size > LARGEST_BYTES:
                return
            root = parsed_nodes(archive.read(found[0]))
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return
    if not any(element.get("name") == CASE for element in root.iter()):
        raise _not_ours()


def holds_case(scene: Any) -> bool:
    """Whether write_case() was here."""
    return bool(tables.text_of(scene, CASE))


def forget(scene: Any) -> None:
    """Take what was written about a case out of the scene."""
    _remove(scene, CASE)
    _remove(scene, PROBES)
    forget_prediction(scene)
    forget_review(scene)


def forget_prediction(scene: Any) -> None:
    _remove(scene, PREDICTION)
    _remove(scene, OUTLINES)


def forget_review(scene: Any) -> None:
    _remove(scene, REVIEW)
    if table := tables.table_of(scene):
        scene.RemoveNode(table)


def _remove(scene: Any, name: str) -> None:
    for node in find(scene, tables.TEXT, name):
        scene.RemoveNode(node)


def write_case(scene: Any, case: Case, nodes: dict[str, Any]) -> None:
    """The case's words on a text node; where each modality is valid as bits of one volume. Paths and patient ids stay
    out of it."""
    if VALID not in nodes:  # the same for as long as the case is open
        bits = np.zeros(case.grid.shape, np.uint8)
        for n, key in enumerate(case.modalities):
            bits |= case.valid[key].view(np.uint8) << np.uint8(n)
        nodes[VALID] = volumes.add_volume(scene, bits, case.grid, "Fields of view", role=VALID, share=True)
    tables.set_text(scene, CASE, json.dumps(_case_words(case)))


def read_case(scene: Any) -> tuple[Case, dict[str, Any]]:
    """The case of a scene, and its nodes by role. InputError for a scene that this program did not save, ValueError and
    its like for one whose record is damaged."""
    words = saved_checks.parsed(tables.text_of(scene, CASE) or "{}")
    nodes = {node.GetAttribute(f"DiffuFuseMed.{ROLE}"): node for node in find(scene, ROLE)}
    if words.get("format") != FORMAT or not set(words["modalities"]) <= set(nodes) or VALID not in nodes:
        raise _not_ours()
    saved_checks.check_case(words)
    case = _case(words, nodes)
    saved_checks.check_voxels(case, {key: volumes.grid_of(nodes[key]) for key in (*case.modalities, VALID)})
    return case, nodes


def _not_ours() -> InputError:
    wanted = "one saved by DiffuFuseMed, with its case"
    return input_error("a scene without a case of this program", wanted, "open the images as a case instead")


def write_kept(kept: np.ndarray | None, nodes: dict[str, Any], reference: Any) -> None:
    """kept: bool [k, j, i], what the reader decided on in worklists before the present one."""
    if "contours" not in nodes:
        return
    if kept is None:
        segmentation = nodes["contours"].GetSegmentation()
        if segmentation.GetSegment(KEPT) is not None:  # VTK complains of one that is not there
            segmentation.RemoveSegment(KEPT)
        return
    segmentations.set_mask(nodes["contours"], KEPT, kept, reference, "decided")
    segmentations.show(nodes["contours"], KEPT, False)


def read_kept(nodes: dict[str, Any], reference: Any) -> np.ndarray | None:
    """What write_kept() wrote; None for nothing."""
    contours = nodes.get("contours")
    if contours is None or contours.GetSegmentation().GetSegment(KEPT) is None:
        return None
    kept = segmentations.mask_of(contours, KEPT, reference)
    return kept if kept.any() else None


def read_review(scene: Any, prediction: Prediction | None) -> Review | None:
    """The review of a scene; None when there is none of its prediction."""
    text = tables.text_of(scene, REVIEW)
    if not text or prediction is None:
        return None
    if not saved_checks.same_grid(saved_checks.parsed(text)["grid"], prediction.grid):  # before its labels get room
        return None
    return Review.from_json(text)


def write_prediction(scene: Any, prediction: Prediction) -> None:
    """What of a prediction is no array."""
    words = {
        "gates": prediction.gates,
        "volume_ml": asdict(prediction.volume_ml),
        "uptake": {name: asdict(interval) for name, interval in prediction.uptake.items()},
        "sample_volumes_ml": prediction.sample_volumes_ml,
        "provenance": prediction.provenance,
    }
    tables.set_text(scene, PREDICTION, json.dumps(words, default=_number))


def write_outlines(scene: Any, samples: Sequence[Voxels], without: Mapping[str, Voxels]) -> None:
    """What a reader may choose among: each sample's lesion, and by modality the lesion as it is drawn without it."""
    words = {
        "samples": [voxels.to_words() for voxels in samples],
        "without": {key: voxels.to_words() for key, voxels in without.items()},
    }
    tables.set_text(scene, OUTLINES, json.dumps(words))


def read_outlines(scene: Any, grid: Grid) -> tuple[tuple[Voxels, ...], dict[str, Voxels]]:
    """What write_outlines() was given; nothing of a scene that was saved before there were any."""
    words = json.loads(tables.text_of(scene, OUTLINES) or "{}")
    samples = tuple(_outline(one, grid) for one in words.get("samples", ()))
    return samples, {str(key): _outline(one, grid) for key, one in words.get("without", {}).items()}


def _outline(words: dict[str, Any], grid: Grid) -> Voxels:
    voxels = Voxels.from_words(words)
    if voxels.shape != grid.shape:
        raise ValueError("an outline of another grid")
    voxels.check()
    return voxels


def write_probes(scene: Any, tries: Sequence[Tried]) -> None:
    """What was found of synthetic tumors in the case: numbers, nothing of their images."""
    if tries:
        tables.set_text(scene, PROBES, json.dumps(words_of(tries)))
    else:
        _remove(scene, PROBES)


def read_probes(scene: Any) -> tuple[Tried, ...]:
    """What write_probes() was given. ValueError and its like for a record that is damaged."""
    text = tables.text_of(scene, PROBES)
    return tries_of(saved_checks.parsed(text)) if text else ()


def read_prediction(scene: Any, case: Case, nodes: dict[str, Any]) -> Prediction | None:
    """The prediction of a scene; None when it was saved before one was made, or when a part of it was deleted."""
    text = tables.text_of(scene, PREDICTION)
    if not text or not {"probability", "contours", "lesion"} <= set(nodes):
        return None
    words, reference = saved_checks.parsed(text), nodes[case.reference]
    saved_checks.check_prediction(words)
    roles = {key: role_of(key) for key in of_prediction()}
    masks = {name: segmentations.mask_of(nodes["contours"], name, reference) for name in ("inner", "outer", "network")}
    prediction = Prediction(
        grid=case.grid,
        probability=volumes.array_of(nodes["probability"]),
        labels=masks["network"].astype(np.uint8),
        uncertainty={key: volumes.array_of(nodes[role]) for key, role in roles.items() if role in nodes},
        inner=masks["inner"],
        outer=masks["outer"],
        gates=words["gates"],
        volume_ml=Interval(**words["volume_ml"]),
        sample_volumes_ml=tuple(words["sample_volumes_ml"]),
        provenance=words["provenance"],
        samples=read_outlines(scene, case.grid)[0],
        uptake={name: Interval(**told) for name, told in words.get("uptake", {}).items()},
    )
    saved_checks.check_maps(prediction)
    return prediction


def _case_words(case: Case) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": case.name,
        "reference": case.reference,
        "modalities": list(case.modalities),
        "grid": asdict(case.grid),
        "meta": {key: _meta(volume) for key, volume in case.volumes.items()},
        "alignment": {
            key: {**asdict(found), "moving_to_reference": found.moving_to_reference.tolist()}
            for key, found in case.alignment.items()
        },
        "notes": list(case.notes),
    }


def _meta(volume: Volume) -> dict[str, Any]:
    kept = {key: volume.meta[key] for key in KEPT_META if key in volume.meta}
    if "source" in kept:  # a folder's name may be a patient's
        kept["source"] = str(kept["source"]).replace("\\", "/").rsplit("/", 1)[-1]
    return json.loads(json.dumps(kept, default=str))


def _case(words: dict[str, Any], nodes: dict[str, Any]) -> Case:
    grid = Grid(**{name: tuple(values) for name, values in words["grid"].items()})
    bits = volumes.array_of(nodes[VALID])
    keys = words["modalities"]
    case = Case(
        name=words["name"],
        grid=grid,
        reference=words["reference"],
        volumes={key: Volume(_floats(nodes[key]), grid, key, words["meta"].get(key, {})) for key in keys},
        valid={key: (bits >> n) & 1 != 0 for n, key in enumerate(keys)},
        alignment={key: _alignment(found) for key, found in words["alignment"].items()},
        notes=tuple(words["notes"]),
    )
    drawn = _annotators(nodes, nodes[case.reference], grid)
    return case.with_references(drawn) if drawn else case


def _annotators(nodes: dict[str, Any], reference: Any, grid: Grid) -> dict[str, Volume]:
    """The masks of several annotators as their outlines' segments keep them; {} where there are none."""
    node = nodes.get("annotators")
    if node is None:
        return {}
    names = {i: segmentations.segment_of(node, i).GetName() for i in segmentations.user_segment_ids(node)}
    masks = {name: segmentations.mask_of(node, i, reference).astype(np.uint8) for i, name in names.items()}
    return {name: Volume(mask, grid, None, {"name": name}) for name, mask in masks.items()}


def _floats(node: Any) -> np.ndarray:
    return volumes.array_of(node).astype(np.float32, copy=False)


def _alignment(words: dict[str, Any]) -> Alignment:
    matrix, notes = np.array(words.pop("moving_to_reference")), tuple(words.pop("notes"))
    return Alignment(moving_to_reference=matrix, notes=notes, **words)


def _number(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
