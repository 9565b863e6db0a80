"""A configuration comes back from JSON as it was."""

import json
from dataclasses import asdict, dataclass, field, fields

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.losses import SegmentationWeights
from DiffuFuseMedLib.networks.config import config_from
from DiffuFuseMedLib.systems import SYSTEMS, network_class


@dataclass(frozen=True)
class Part:
    weight: float = 1.0


@dataclass(frozen=True)
class Whole:
    sizes: tuple[int, ...] = (1, 2)
    name: str = "a"
    part: Part = field(default_factory=Part)


def test_lists_become_tuples_and_dicts_their_dataclass():
    given = {"sizes": [3, 4], "part": {"weight": 2.5}}
    assert config_from(Whole, given) == Whole((3, 4), "a", Part(2.5))
    assert given == {"sizes": [3, 4], "part": {"weight": 2.5}}


def test_a_part_that_was_never_written_is_the_default():
    assert config_from(Whole, {"name": "b"}) == Whole(name="b")


def test_an_unknown_setting_is_an_error():
    with pytest.raises(InputError, match="the unknown field 'color'"):
        config_from(Whole, {"color": 1})


@pytest.mark.parametrize(
    "values", [{"sizes": 3}, {"sizes": [1, 2.5]}, {"name": 7}, {"part": {"weight": "heavy"}}], ids=str
)
def test_a_setting_of_another_type_is_refused_in_one_sentence(values):
    with pytest.raises(InputError, match=r"^Given settings with .*: update DiffuFuseMed or leave the setting out\.$"):
        config_from(Whole, values)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_systems_config_survives_json(name):
    kind = network_class(name).config_type
    own = {field.name for field in fields(kind)}
    config = kind(modalities=("CT",)) if "modalities" in own else kind()
    if hasattr(config, "segmentation"):
        config = kind(modalities=("CT",), segmentation=SegmentationWeights(bce=0.25))
    assert kind.from_dict(json.loads(json.dumps(asdict(config)))) == config
