"""What the engine says of several annotators of an open case."""

from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.engine.server import handlers
from DiffuFuseMedLib.engine.server.context import Context
from DiffuFuseMedLib.engine.server.failures import UnknownCaseError
from DiffuFuseMedLib.engine.server.handlers import Workbench
from DiffuFuseMedLib.engine.wire import protocol
from DiffuFuseMedLib.engine.wire.pack import pack, unpack
from DiffuFuseMedLib.metrics.agreement import agreement


@pytest.fixture
def asked(a_tiny_case, monkeypatch):
    """A function of masks and lesion: the answer."""
    monkeypatch.setattr(handlers, "unpack", lambda value, _: value)
    context = Context(SimpleNamespace(map=lambda packed: packed), lambda *_: None, lambda: False)
    bench = Workbench()
    bench.open(protocol.Open(1, "case", a_tiny_case), context)
    return lambda masks, lesion=None, case="case": bench.agree(protocol.Agree(2, case, masks, lesion), context)


def masks_of(case):
    drawn = case.reference_mask.array > 0
    return {"reader 1": drawn, "reader 2": np.roll(drawn, 1, axis=2)}


def test_it_is_what_the_command_line_tells(asked, a_tiny_case):
    masks = masks_of(a_tiny_case)
    found, wanted = asked(masks), agreement(masks, a_tiny_case.grid.spacing_kji_mm)
    np.testing.assert_array_equal(found.dice, wanted.dice)
    np.testing.assert_array_equal(found.nsd, wanted.nsd)
    assert (found.volumes_ml, found.staple_ml, found.lesion) == (wanted.volumes_ml, wanted.staple_ml, {})
    assert set(asked(masks, masks["reader 1"]).lesion) == {"reader 1", "reader 2", "majority", "STAPLE"}


def test_it_goes_between_the_processes(asked, a_tiny_case):
    found = asked(masks_of(a_tiny_case), masks_of(a_tiny_case)["reader 1"])
    arrays = []

    def write(array):
        arrays.append(array)
        return {"$array": len(arrays) - 1}

    back = unpack(pack(found, write), lambda reference: arrays[reference["$array"]])
    np.testing.assert_array_equal(back.dice, found.dice)
    assert (back.names, back.lesion, back.volumes_ml) == (found.names, found.lesion, found.volumes_ml)


def test_one_annotator_and_an_unknown_case_are_refused(asked, a_tiny_case):
    with pytest.raises(InputError, match="at least two"):
        asked({"reader 1": masks_of(a_tiny_case)["reader 1"]})
    with pytest.raises(UnknownCaseError):
        asked(masks_of(a_tiny_case), case="another")
