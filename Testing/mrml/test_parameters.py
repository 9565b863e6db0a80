import json
import logging
from dataclasses import dataclass, field
from typing import Literal

import pytest
from DiffuFuseMedLib.mrml import parameters


@dataclass
class Parameters:
    alpha: float = 0.4
    samples: int = 8
    preset: str | None = None
    on: bool = True
    window: tuple[float, float] = (-160.0, 240.0)
    modalities: dict[str, bool] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    plane: Literal["axial", "coronal"] = "axial"
    by_index: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self):
        if self.alpha > 1:
            raise ValueError("alpha above 1")


MANY = Parameters(
    1 / 3, 3, 'it\'s "quoted"; a:b, 100 % <é>\n\tend', False, (0.1, 1e-300), {"PET": False, "CT": True}, ["a", ""],
    "coronal", {3: ("x", "y"), 4: ()},
)  # fmt: skip


@pytest.mark.parametrize("instance", [Parameters(), MANY], ids=["defaults", "many"])
def test_every_field_comes_back_exact(a_scene, instance):
    parameters.save(instance, a_scene)
    loaded = parameters.load(Parameters, a_scene)
    assert loaded == instance
    assert [type(v) for v in vars(loaded).values()] == [type(v) for v in vars(instance).values()]


def test_each_field_is_a_json_string_that_others_can_read(a_scene):
    node = parameters.save(MANY, a_scene)
    assert node.GetModuleName() == "DiffuFuseMed"
    assert json.loads(node.GetParameter("samples")) == 3
    assert json.loads(node.GetParameter("preset")) == MANY.preset


def test_an_empty_scene_has_no_parameters(a_scene):
    assert parameters.load(Parameters, a_scene) is None


def test_instances_are_kept_apart_by_name(a_scene):
    parameters.save(Parameters(alpha=0.1), a_scene, "one")
    parameters.save(Parameters(alpha=0.2), a_scene, "two")
    parameters.save(Parameters(alpha=0.3), a_scene, "one")
    assert parameters.load(Parameters, a_scene, "one").alpha == 0.3
    assert parameters.load(Parameters, a_scene, "two").alpha == 0.2
    assert a_scene.GetNumberOfNodesByClass("vtkMRMLScriptedModuleNode") == 2


def test_a_change_is_told_once_and_no_change_not_at_all(a_scene, heard):
    told = heard(parameters.save(Parameters(), a_scene))
    parameters.save(Parameters(), a_scene)
    assert told == []
    parameters.save(MANY, a_scene)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("samples", "{"),
        ("samples", '"8"'),
        ("samples", "true"),
        ("alpha", "null"),
        ("on", "1"),
        ("window", '{"tuple": [1.0]}'),
        ("window", "[1.0, 2.0]"),
        ("window", '{"frozenset": []}'),
        ("modalities", '{"dict": [["PET"]]}'),
        ("modalities", '{"dict": [[[], true]]}'),
        ("plane", '"oblique"'),
        ("notes", '["a", 3]'),
    ],
)
def test_a_damaged_field_keeps_its_default_and_the_others_their_value(a_scene, caplog, key, text):
    parameters.save(MANY, a_scene).SetParameter(key, text)
    with caplog.at_level(logging.WARNING):
        loaded = parameters.load(Parameters, a_scene)
    expected = {**vars(MANY), key: getattr(Parameters(), key)}
    assert vars(loaded) == expected
    assert key in caplog.text


def test_an_unknown_field_is_passed_over_and_gone_at_the_next_save(a_scene, caplog):
    node = parameters.save(MANY, a_scene)
    node.SetParameter("delta", "1")
    assert parameters.load(Parameters, a_scene) == MANY
    assert "delta" in caplog.text
    parameters.save(MANY, a_scene)
    assert "delta" not in node.GetParameterNames()


def test_values_that_the_dataclass_refuses_give_its_defaults(a_scene, caplog):
    parameters.save(Parameters(), a_scene).SetParameter("alpha", "1.5")
    assert parameters.load(Parameters, a_scene) == Parameters()
    assert "do not go together" in caplog.text


def test_what_json_cannot_keep_is_refused_before_anything_is_written(a_scene):
    with pytest.raises(TypeError, match="set"):
        parameters.save(Parameters(notes={"a"}), a_scene)
    assert parameters.load(Parameters, a_scene) is None
