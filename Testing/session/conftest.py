"""A host that is pumped by hand, a scene with three slice views, an engine that answers when told, and the real one."""

import queue
import shutil
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import slicer
from DiffuFuseMedLib.core.fused import FusedPicture, FusedVolume
from DiffuFuseMedLib.core.planes import PLANES
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.core.voxels import Voxels
from DiffuFuseMedLib.engine.client.engine import Engine, EngineError
from DiffuFuseMedLib.mrml import segmentations
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.session import Session, Topic

# Boxes of a run's lesion: what it is sure of, and two regions that it doubts.
CORE, FIRST, SECOND = np.s_[4:12, 15:35, 15:40], np.s_[5:9, 36:44, 20:30], np.s_[5:9, 8:14, 20:30]
STS_010 = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"


HELD_S = 30.0  # work that a test holds back is waited for no longer


def _settle(future, call):
    try:
        future.set_result(call())
    except BaseException as error:
        future.set_exception(error)


class PumpedHost:
    """post, later and work as a Session asks of its host; everything runs in pump_until(), on the test's thread."""

    def __init__(self):
        self._calls, self._timers = queue.Queue(), []
        self._pool, self._working, self._lock = ThreadPoolExecutor(2), 0, threading.Lock()

    def post(self, call):
        self._calls.put(call)

    def later(self, seconds, call):
        timer = _Timer(time.monotonic() + seconds, call)
        self._timers.append(timer)
        return timer

    def work(self, call):
        """Its future is done, and whoever waits for that has heard, before the work counts as over."""
        future = Future()
        with self._lock:
            self._working += 1
        self._pool.submit(self._do, call, future)
        return future

    def write(self, call):
        return self.work(call)

    def _do(self, call, future):
        try:
            if future.set_running_or_notify_cancel():
                _settle(future, call)
        finally:
            with self._lock:
                self._working -= 1

    def pump_until(self, condition, timeout=120.0):
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, "it did not come true in time"
            self._turn()

    def pump(self, seconds=0.02):
        """Whatever is due within these seconds, and what was begun by then, however busy the machine is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end or (self._busy(end) and time.monotonic() < end + HELD_S):
            self._turn()

    def _busy(self, end):
        with self._lock:
            working = self._working
        return working or not self._calls.empty() or any(t.call and t.due <= end for t in self._timers)

    def _turn(self):
        due = [t for t in self._timers if t.due <= time.monotonic()]
        self._timers = [t for t in self._timers if t not in due]
        for timer in due:
            if timer.call:
                timer.call()
        try:
            call = self._calls.get(timeout=0.005)
        except queue.Empty:
            return
        call()

    def close(self):
        self._pool.shutdown()


@dataclass(eq=False)
class _Timer:
    due: float
    call: Any

    def cancel(self):
        self.call = None


@dataclass(eq=False)
class Asked:
    """One request, as a Handle; give() and fail() are the engine's answers."""

    kind: str
    values: dict
    case_id: str = ""
    progress: Any = None
    cancelling: bool = False
    future: Future = field(default_factory=Future)

    def cancel(self, grace_s=5.0):
        self.cancelling = True

    def give(self, value=None):
        self.future.set_result(value)

    def fail(self, code):
        self.future.set_exception(EngineError(code, f"It {code}.", "why"))


class ToldEngine:
    """Remembers what it was asked; a test gives the answers."""

    def __init__(self):
        self.asked, self._ids, self.starts, self.closed = [], count(1), 0, False
        self.staged, self.unstaged = [], []

    def of(self, kind):
        return [a for a in self.asked if a.kind == kind]

    def last(self, kind):
        return self.of(kind)[-1]

    def waiting(self, kind):
        return [a for a in self.of(kind) if not a.future.done() and not a.cancelling]

    def start(self):
        self.starts += 1
        return self._ask("hello")

    def stage(self, case):
        self.staged.append(case)
        return {"staged": len(self.staged)}

    def unstage(self, staged):
        self.unstaged.append(staged)

    def start_open(self, case, rois=None, lesion=None, staged=None):
        handle = self._ask("open", case=case, lesion=lesion)
        handle.case_id = f"case-{next(self._ids)}"
        return handle

    def reopen(self, case_id, staged):
        return self._ask("reopen", case_id=case_id, case=self.staged[staged["staged"] - 1])

    def close_case(self, case_id):
        return self._ask("close", case_id=case_id)

    def replace_rois(self, case_id, rois=None, lesion=None):
        return self._ask("rois", case_id=case_id, lesion=lesion)

    def segment(self, case_id, model, samples, seed, modalities, device="auto", progress=None, behind=False):
        asked = self._ask("segment", model=model, samples=samples, seed=seed, modalities=modalities, behind=behind)
        asked.progress = progress
        return asked

    def fuse_slice(self, case_id, plane, index, settings, view, **others):
        return self._ask("slice", case_id=case_id, where=(plane, index), settings=settings, view=view, **others)

    def fuse_volume(self, case_id, settings, device, mri, progress):
        asked = self._ask("volume", case_id=case_id, settings=settings)
        asked.progress = progress
        return asked

    def judge_fusion(self, case_id, image, settings, device, mri):
        return self._ask("judge", case_id=case_id, image=image, settings=settings, mri=mri)

    def remove(self, case_id, lesion, model, margin_mm, device, progress):
        asked = self._ask("remove", case_id=case_id, lesion=lesion, model=model, margin_mm=margin_mm)
        asked.progress = progress
        return asked

    def probe(self, case_id, synthesizer, model, progress=None, **told):
        asked = self._ask("probe", case_id=case_id, synthesizer=synthesizer, model=model, **told)
        asked.progress = progress
        return asked

    def agree(self, case_id, masks, lesion=None):
        return self._ask("agree", case_id=case_id, masks=masks, lesion=lesion)

    def close(self):
        self.closed = True

    def _ask(self, kind, **values):
        self.asked.append(Asked(kind, values))
        return self.asked[-1]


def a_picture(asked, case, value):
    """The answer to a slice: one gray value all over."""
    shape = np.delete(case.grid.shape, PLANES[asked.values["where"][0]])
    return FusedPicture(np.full(shape, value, np.float32), None)


def a_volume(case, value):
    arrays = (np.full(case.grid.shape, v, np.float32) for v in (value, value / 2))
    return FusedVolume(*arrays, {}, {"student": {"id": "told"}, "alpha": value}, {"fusion": 1.0})


def a_prediction(asked, case, boxes, doubtful=()):
    """The answer to a run: a lesion of boxes (slices k, j, i) with a probability of 0.9, 0.6 or 0.4 where doubtful.

    Of four samples three call what is sure alone, and one what is doubtful too."""
    p = np.zeros(case.grid.shape, np.float32)
    for box in boxes:
        p[box] = 0.99
    for box, value in doubtful:
        p[box] = value
    q = np.clip(p, 1e-6, 1 - 1e-6)
    entropy = (-(q * np.log(q) + (1 - q) * np.log(1 - q))).astype(np.float32)
    labels = p > 0.5
    gates = dict.fromkeys(asked.values["modalities"], 1 / len(asked.values["modalities"]))
    made = {"model": asked.values["model"], "samples": asked.values["samples"], "seed": asked.values["seed"]}
    return Prediction(
        grid=case.grid,
        probability=p,
        labels=labels.astype(np.uint8),
        uncertainty=dict.fromkeys(("predictive_entropy", "expected_entropy", "mutual_information"), entropy),
        inner=p > 0.9,
        outer=p > 0.1,
        gates=gates,
        volume_ml=Interval(float(labels.sum() * case.grid.voxel_mm3 / 1000), 1.0, 900.0, "mL"),
        sample_volumes_ml=(1.0, 2.0),
        provenance={
            **made,
            "sha256": "ab" * 32,
            "modalities": asked.values["modalities"],
            "timings_s": {"network": 1.0},
        },
        uptake={"suv_mean": Interval(3.0, 0.5, 40.0, "g/mL", basis="of some patients")},
        samples=tuple(map(Voxels.of, (p > 0.9, p > 0.9, p > 0.9, p > 0.35))),
    )


@pytest.fixture(scope="session")
def answers():
    """Functions that make the answers: picture, volume, prediction."""
    return {"picture": a_picture, "volume": a_volume, "prediction": a_prediction}


class Clock:
    """Timers as a SessionContext's later() gives them, rung when a test lets time pass."""

    def __init__(self):
        self.now, self._timers = 0.0, []

    def later(self, seconds, call):
        timer = SimpleNamespace(due=self.now + seconds, call=call)
        timer.cancel = lambda: self._timers.remove(timer) if timer in self._timers else None
        self._timers.append(timer)
        return timer

    def pass_to(self, now):
        while due := [timer for timer in self._timers if timer.due <= now]:
            first = min(due, key=lambda timer: timer.due)
            self._timers.remove(first)
            self.now = first.due
            first.call()
        self.now = now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="module")
def a_host():
    host = PumpedHost()
    yield host
    host.close()


def make_scene():
    """Slicer's logics on a scene, and three slice views on screen."""
    scene = slicer.vtkMRMLScene()
    logics = slicer.vtkMRMLColorLogic(), slicer.vtkSlicerSegmentationsModuleLogic()
    for logic in logics:
        logic.SetMRMLScene(scene)
    logics[0].AddDefaultColorNodes()
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    editor = slicer.vtkMRMLSegmentEditorNode()
    editor.SetSingletonTag("editor")
    editor = scene.AddNode(editor)
    for name, orientation in (("Red", "Axial"), ("Green", "Coronal"), ("Yellow", "Sagittal")):
        node, composite = (scene.CreateNodeByClass(f"vtkMRMLSlice{kind}") for kind in ("Node", "CompositeNode"))
        for made in (node, composite):
            made.UnRegister(None)  # the scene hands over its reference
            made.SetSingletonTag(name)
            made.SetLayoutName(name)
            scene.AddNode(made)
        node.SetOrientation(orientation)
        node.SetMappedInLayout(1)
    return scene, logics, editor


@pytest.fixture(scope="module")
def workplaces(a_host, tmp_path_factory):
    """A function (engine, presets): a Session at a scene of its own, with an editor node, closed at the end."""
    opened = []

    def make(engine=None, presets=None, corrections=None):
        scene, logics, editor = make_scene()
        session = Session(scene, a_host, engine, presets, corrections)
        session.use_editor(editor)
        session.views_made()
        session.messages, session.pump_until, session.pump = [], a_host.pump_until, a_host.pump
        session.listen(lambda _: session.messages.append(session.view_state.message), Topic.MESSAGE)
        opened.append((session, scene, logics))
        return session

    yield make
    for session, scene, logics in opened:
        session.close()
        for logic in logics:
            logic.SetMRMLScene(None)
        scene.Clear(True)


@pytest.fixture(scope="session")
def sarcoma():
    """STS_010 around its lesion."""
    return load_case(STS_010).cropped((20, 50, 50), (36, 106, 122))


@pytest.fixture(scope="module")
def lesion(sarcoma):
    return sarcoma.reference_mask.array > 0


@pytest.fixture
def corrections():
    """The folder in which `told` keeps unsaved corrections: none, but in tests that are about it."""


@pytest.fixture
def told(workplaces, sarcoma, a_host, corrections):
    """A Session at the sarcoma whose engine answers when told, as session.engine; nothing was answered yet."""
    engine = ToldEngine()
    session = workplaces(engine, corrections=corrections)
    session.open_case(sarcoma)
    jump_to(session, sarcoma)
    engine.last("open").give()
    a_host.pump()
    return session


@pytest.fixture
def done(told, answers, sarcoma):
    """Run, explained, fused, the first region corrected, its editor still held to the second."""
    told.run()
    for _ in range(4):
        asked = told.engine.waiting("segment")[0]
        asked.give(answers["prediction"](asked, sarcoma, (CORE,), ((FIRST, 0.6), (SECOND, 0.4))))
        told.pump()
    told.review.choose(1)
    mask = told.lesion.mask()
    mask[5:7, 36:44, 20:30] = False
    segmentations.set_mask(told.nodes["lesion"], "lesion", mask, told.nodes["CT"])
    told.review.decide()
    told.pump_until(lambda: told.view_state.edited and not told.view_state.counting)
    told.corrected = mask
    fuse(told, answers, sarcoma)
    return told


def fuse(session, answers, case, value=0.5):
    while session.view_state.fusion != "ready":
        for asked in session.engine.waiting("slice"):
            asked.give(answers["picture"](asked, case, value))
        for asked in session.engine.waiting("volume"):
            asked.give(answers["volume"](case, value))
        session.pump(0.1)


def jump_to(session, case, kji=None):
    """All views at a voxel, the middle one by default."""
    index = np.array(kji or [n // 2 for n in case.grid.shape])[::-1]
    session.display.jump(tuple(case.grid.to_physical(index)))


@pytest.fixture(scope="session")
def jump():
    return jump_to


@pytest.fixture(scope="session")
def small_models(tmp_path_factory, models, fusion_models):
    """One folder with all of the untrained networks."""
    folder = tmp_path_factory.mktemp("all_models") / "models"
    for source in (models, fusion_models):
        shutil.copytree(source, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def engines(tmp_path_factory, small_models):
    """A function (on_exit): a real engine on small networks, and its folder in .parent_folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIFFUFUSEMED_MODELS", str(small_models))
        made = []

        def make(**options):
            folder = tmp_path_factory.mktemp("engines")
            made.append(Engine(folder=folder, **options))
            made[-1].parent_folder = folder
            return made[-1]

        yield make
        for engine in made:
            engine.close()


@pytest.fixture(scope="module")
def at_work(workplaces, engines, sarcoma):
    """A function: a Session with a real engine at the sarcoma, its views in the middle."""

    def make():
        died = []
        engine = engines(on_exit=lambda error: died[0](error))
        session = workplaces(engine)
        died.append(session.engine_died)
        engine.on_reply = session.engine_answered
        session.set(model="tiny", samples=2)
        session.open_case(replace(sarcoma, reference_mask=None))
        jump_to(session, sarcoma)
        return session

    return make
