"""model.json under attack: whatever is changed in it, with or without its checksum made anew, the answer is a model or
one sentence, at once."""

import json
import time

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import registry, zoo
from DiffuFuseMedLib.models.record_checks import checksum
from DiffuFuseMedLib.systems.segresnet.config import Config
from DiffuFuseMedLib.systems.segresnet.network import SegResNet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FIT = {"scale": 1.0, "offset": 0.0, "contour_width": 0.5, "volume": {"mean": 0.0, "sd": 0.3, "patients": 9}}
OWN = {"scale": 1.0, "offset": 0.0, "contour_width": 0.5}  # what is written for each patient left out
OF_TWO = {**OWN, "volume": {"mean": 0.0, "sd": 0.3, "patients": 2, "level_spreads": [0.1, 0.2], "ratios": [0.3, -0.3]}}
LIKE = {"names": ["fat"], "median": [0.1], "spread": [0.1], "precision": [[1.0]], "threshold": 3.0}
ABSURD = st.one_of(
    st.sampled_from([-1, 0, 1, 10**9, 10**30, float("nan"), float("inf"), -0.5, "", "x" * 50, None, True, [], {}]),
    st.recursive(st.integers() | st.text(max_size=3), lambda part: st.lists(part, max_size=3), max_leaves=5),
)


@pytest.fixture(scope="module")
def a_folder(tmp_path_factory):
    """A models folder with "small", a baseline of few channels, calibrated."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    window = {"shape": [8, 8, 8], "spacing_kji_mm": [3.0, 3.0, 3.0]}
    facts = {"id": "small", "system": "segresnet", "window": window, "licence": "none", "calibration": {"all": FIT}}
    zoo.save(SegResNet(Config(init_filters=8)), facts, folder / "small")
    return folder


def written(folder, values, sealed=True):
    """model.json of these values; sealed: with a checksum made for them."""
    values = {name: value for name, value in values.items() if name != registry.CHECKSUM}
    try:
        seal = checksum(values) if sealed else "ab"
    except ValueError:  # NaN has no JSON
        seal = "ab"
    (folder / "small" / registry.RECORD).write_text(json.dumps({**values, registry.CHECKSUM: seal}), encoding="utf-8")


def places(value, path=()):
    """The path of every value within."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in parts for place in places(part, (*path, key)))]


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


@pytest.fixture(scope="module")
def the_record(a_folder):
    return json.loads((a_folder / "small" / registry.RECORD).read_text(encoding="utf-8"))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(data=st.data())
def test_a_record_with_anything_changed_loads_or_is_refused_in_one_sentence(a_folder, the_record, data):
    inside = data.draw(st.sampled_from(["config", "window", "calibration", "config", "id", "sha256", "training"]))
    place = data.draw(st.sampled_from(places(the_record[inside], (inside,))))
    written(a_folder, replaced(the_record, place, data.draw(ABSURD)))
    began = time.process_time()
    try:
        zoo.load("small", folder=a_folder)
    except InputError as refused:
        assert str(refused).startswith("Given ")
        assert len(str(refused)) < 300
        assert "\n" not in str(refused)
    assert time.process_time() - began < 20  # not forever


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("config", "init_filters"), 10**9, "the setting init_filters = 1000000000"),
        (("config", "init_filters"), 9_000, "a config of small that does not fit its weights"),
        (("config", "init_filters"), -8, "the setting init_filters = -8"),
        (("config", "modalities"), "CT", "the setting modalities = CT"),
        (("config", "modalities"), [[["CT"]]], "the setting modalities"),
        (("window", "spacing_kji_mm"), [1e-9, 1, 1], "a spacing of [1e-09, 1, 1] mm"),
        (("calibration", "all", "scale"), -1, "the calibration all with scale = -1"),
        (("calibration", "all", "contour_width"), "wide", "contour_width = wide"),
        (("calibration", "all", "volume", "sd"), None, "the calibration all.volume with sd = None"),
        (("calibration", "all", "volume", "patients"), 1, "patients = 1"),
        (("calibration", "all", "volume", "level_spreads"), [-1], "the calibration all.volume.level_spreads = [-1]"),
        (("calibration", "all", "volume", "level_spreads"), [0.1], "the calibration all.volume.ratios = []"),
        (("calibration", "all", "volume", "ratios"), [99], "the calibration all.volume.ratios = [99]"),
        (("calibration", "all", "volume", "ratios"), [0.1], "the calibration all.volume.ratios = [0.1]"),
        (("calibration", "all", "uptake"), {"luck": {}}, "the calibration all.uptake = "),
        (("calibration", "all", "uptake"), {"mtv_ml": {"mean": 0}}, "the calibration all.mtv_ml with sd = None"),
        (("calibration", "all", "uptake"), {"tlg_g": 5}, "the calibration all.tlg_g = 5"),
        (("calibration", "all"), [], "the calibration all = []"),
        (("calibration", "all"), {}, "the calibration all with scale = None"),
        (("calibration",), {"given": []}, "the calibration given = []"),
        (("calibration",), {"given": {"CT luck": {"all": FIT}}}, "the calibration given = {'CT luck'"),
        (("calibration",), {"given": {"CT": {"all": {**FIT, "scale": -1}}}}, "given CT all with scale = -1"),
        (("calibration",), {"given": {"CT": {}}}, "the calibration given CT = {}"),
        (("calibration",), {"given": {"CT": 5}}, "the calibration given CT = 5"),
        (("calibration",), {"all": FIT, "patients": "all", "without": {}}, "the calibration without = {}"),
        (("calibration",), {"all": FIT, "patients": ["a"], "without": {"a": OWN}}, "the calibration patients = ['a']"),
        (
            ("calibration",),
            {"all": OF_TWO, "patients": ["a", "c"], "without": {"b": OWN}},
            "the calibration patients = ['a', 'c']",
        ),
        (("calibration",), {"all": FIT, "without": []}, "the calibration without = []"),
        (("calibration",), {"all": FIT, "without": {"a": 3}}, "the calibration without a = 3"),
        (("domain",), {"likeness": {"CT": {**LIKE, "names": ["luck"]}}}, "the domain's likeness"),
        (("domain",), {"likeness": {"CT": {**LIKE, "names": [["fat"]]}}}, "the domain's likeness"),
        (("domain",), {"likeness": {"PET": LIKE}}, "the domain's likeness"),
        (("domain",), {"likeness": {"XX": LIKE}}, "the domain's likeness"),
    ],
)
def test_an_absurd_record_is_refused_for_what_is_absurd(a_folder, the_record, place, value, words):
    owner, name = place[:-1], place[-1]
    at = the_record
    for key in owner:
        at = at[key]
    written(a_folder, replaced(the_record, owner, {**at, name: value}) if owner else {**the_record, name: value})
    with pytest.raises(InputError) as refused:
        zoo.load("small", folder=a_folder)
    assert words in str(refused.value)


def test_a_domain_of_features_that_its_modality_has_is_taken(a_folder, the_record):
    written(a_folder, {**the_record, "domain": {"likeness": {"CT": LIKE}}})
    assert zoo.load("small", folder=a_folder).record.domain["likeness"]["CT"] == LIKE


def test_a_record_that_was_changed_after_it_was_written_is_refused(a_folder, the_record):
    written(a_folder, {**the_record, "licence": "mine"}, sealed=False)
    with pytest.raises(InputError, match="was changed or damaged since its checksum was written"):
        registry.record("small", a_folder)


def test_a_record_without_its_checksum_is_refused(a_folder, the_record):
    values = {name: value for name, value in the_record.items() if name != registry.CHECKSUM}
    (a_folder / "small" / registry.RECORD).write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(InputError, match=r"without its own checksum \(record_sha256\)"):
        registry.record("small", a_folder)


def test_the_checksum_is_of_what_is_said_and_not_of_how_it_is_written(a_folder, the_record):
    turned = json.dumps(dict(reversed(the_record.items())))
    (a_folder / "small" / registry.RECORD).write_text(turned, encoding="utf-8")
    assert registry.record("small", a_folder).id == "small"


def test_weights_that_are_no_numbers_are_refused(tmp_path, the_record):
    network = SegResNet(Config(init_filters=8))
    with torch.no_grad():
        next(network.parameters()).view(-1)[0] = float("nan")
    facts = {"id": "spoilt", "system": "segresnet", "window": the_record["window"], "licence": "none"}
    zoo.save(network, facts, tmp_path / "spoilt")
    with pytest.raises(InputError, match="weights of spoilt with NaN or infinity"):
        zoo.load("spoilt", folder=tmp_path)


def test_a_training_that_met_a_nan_is_recorded_as_null(tmp_path, the_record):
    record = registry.ModelRecord(
        "a", "segresnet", {}, {}, "ab", "none", training={"history": [{"loss": float("nan")}]}
    )
    registry.write_record(record, tmp_path)
    assert registry.read_record(tmp_path).training == {"history": [{"loss": None}]}
