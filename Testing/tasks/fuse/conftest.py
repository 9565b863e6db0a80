"""Small fresh student and teacher as model folders, and a case with ROIs drawn by hand."""

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.preprocessing.rois import Rois
from DiffuFuseMedLib.systems.clin_fusediff import Student, StudentConfig, Teacher, TeacherConfig
from DiffuFuseMedLib.tasks.fuse import Fuser, FusionSettings

FACTS = {"window": {}, "licence": "none", "training": {}}
STUDENT = StudentConfig(channels=(8, 8, 8, 16), condition=8)
TEACHER = TeacherConfig(channels=(8, 8, 8), encoder_channels=4, condition=8, steps=40, head_features=(8,) * 6)


@pytest.fixture(scope="session")
def fusion_models(tmp_path_factory):
    """A models folder with both networks, untrained."""
    folder = tmp_path_factory.mktemp("fusion_models")
    torch.manual_seed(0)
    for name, network in (("student", Student(STUDENT)), ("teacher", Teacher(TEACHER))):
        torch.nn.init.normal_(network.unet.last[-1].weight, std=0.3)  # so that pixels and draws differ
        facts = {"id": f"clin-fusediff-{name}", "system": f"clin-fusediff-{name}", **FACTS}
        zoo.save(network, facts, folder / f"clin-fusediff-{name}")
    return folder


@pytest.fixture(scope="session")
def a_fuser(fusion_models):
    names = ("clin-fusediff-student", "clin-fusediff-teacher")
    return Fuser(*(zoo.load(name, folder=fusion_models) for name in names))


@pytest.fixture(scope="session")
def rois_of():
    """A function of a shape [k, j, i] or (H, W): bone in the first quarter of the columns, a box of lesion."""

    def make(shape):
        bone, lesion = np.zeros(shape, bool), np.zeros(shape, bool)
        bone[..., : shape[-1] // 4] = True
        lesion[..., shape[-2] // 3 : shape[-2] // 2, shape[-1] // 2 : 3 * shape[-1] // 4] = True
        return Rois(~bone, bone, lesion, np.ones(shape, bool), "body")

    return make


@pytest.fixture
def opened(a_fuser, a_case, rois_of):
    """A function of a shape and a fuser: a case that was just opened."""

    def make(shape=(12, 36, 32), fuser=a_fuser):
        return fuser.open(a_case(shape), rois_of(shape), FusionSettings())

    return make
