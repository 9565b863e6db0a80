"""The browser host's side of a scene that both hosts open: trame-slicer's application and the asyncio host, no page.

As a program: browser_process.py IN OUT opens the scene IN, tells its facts, does what a reader does, saves it as OUT
and tells the facts of that; both as lines of JSON. A process of its own, for the stand-in changes the module `slicer`.
"""

import asyncio
import hashlib
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from DiffuFuseMedLib.mrml import segmentations, volumes
from DiffuFuseMedLib.mrml.views import composites

PATIENCE_S = 300.0


def facts(session):
    """What a scene has to bring to the other host: parameters, images, prediction, lesion, review, numbers, layers."""
    reference = session.nodes[session.case.reference]
    lesion = segmentations.mask_of(session.nodes["lesion"], "lesion", reference)
    doubts = {key: digest(values) for key, values in session.prediction.uncertainty.items()}
    return {
        "parameters": asdict(session.parameters),
        "images": {key: digest(volume.array) for key, volume in session.case.volumes.items()},
        "valid": {key: digest(valid) for key, valid in session.case.valid.items()},
        "probability": digest(session.prediction.probability),
        "uncertainty": doubts,
        "gates": dict(session.prediction.gates),
        "lesion": digest(lesion),
        "lesion voxels": int(lesion.sum()),
        "predicted voxels": int((session.prediction.labels == 1).sum()),
        "edited": session.view_state.edited,
        "fused": digest(volumes.array_of(session.nodes["fused"])),
        "decisions": json.loads(session.review.current.to_json())["decisions"],
        "numbers": list(session.view_state.numbers),
        "layers": layers(session),
    }


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def layers(session):
    """Role and opacity of what each view shows, the same for all views."""
    role = {node.GetID(): role for role, node in session.nodes.items()}
    shown = [
        [
            role.get(node.GetBackgroundVolumeID()),
            role.get(node.GetForegroundVolumeID()),
            round(node.GetForegroundOpacity(), 6),
            *((role.get(node.GetNthLayerVolumeID(n)), round(node.GetNthLayerOpacity(n), 6)) for n in extras(node)),
        ]
        for node in composites(session.scene)
    ]
    assert shown and all(view == shown[0] for view in shown), shown
    return shown[0]


def extras(node):
    return range(3, 3 + node.GetNumberOfAdditionalLayers())


async def until(condition, what):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what} did not come")
        await asyncio.sleep(0.01)


async def work(given, saved):
    from DiffuFuseMedLib.engine.client.engine import Engine
    from DiffuFuseMedLib.session import Session
    from DiffuFuseMedLib.web.asyncio_host import AsyncioHost
    from trame_slicer.core import SlicerApp

    app, host = SlicerApp(), AsyncioHost(asyncio.get_running_loop())
    views_of(app.scene)
    session = Session(app.scene, host, Engine(module="quick_server"))
    try:
        session.views_made()
        if not session.open_scene(given):
            raise SystemExit(str(session.view_state.message))
        await until(lambda: session.view_state.numbers, "the numbers")
        tell(session)
        await read_on(session)
        if not session.persistence.save_scene(saved):
            raise SystemExit(str(session.view_state.message))
        tell(session)
    finally:
        session.close()
        host.close()


def views_of(scene):
    """Three slice views, as the page's layout makes them."""
    for name in ("Red", "Green", "Yellow"):
        for kind in ("vtkMRMLSliceNode", "vtkMRMLSliceCompositeNode"):
            node = scene.CreateNodeByClass(kind)
            node.UnRegister(None)
            node.SetSingletonTag(name)
            node.SetLayoutName(name)
            scene.AddNode(node)


async def read_on(session):
    """Sliders, layers, a correction of the lesion and a decision."""
    session.set(beta=0.35, foreground_opacity=0.65, uncertainty_opacity=0.55, uncertainty_map="expected_entropy")
    session.set(show_uncertainty=True, background="CT")
    open_now = next(row["id"] for row in session.view_state.regions if row["state"] == "open")
    session.review.choose(open_now)
    nodes, reference = session.nodes, session.nodes[session.case.reference]
    lesion = segmentations.mask_of(nodes["lesion"], "lesion", reference)
    lesion ^= session.review._reach(open_now)
    segmentations.set_mask(nodes["lesion"], "lesion", lesion, reference)
    session.review.decide()
    await until(lambda: session.view_state.edited, "the new numbers")
    await until(lambda: session.view_state.fusion == "ready", "the fused volume")


def tell(session):
    sys.stdout.write(json.dumps(facts(session)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), Path(sys.argv[2])))
