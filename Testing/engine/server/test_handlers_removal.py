"""The engine takes a lesion out of an open case's images."""

from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.engine.server import handlers
from DiffuFuseMedLib.engine.server.context import Context
from DiffuFuseMedLib.engine.server.failures import UnknownCaseError
from DiffuFuseMedLib.engine.server.handlers import Workbench
from DiffuFuseMedLib.engine.wire import protocol
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_slices import body_of
from DiffuFuseMedLib.tasks.synthesize.removal_mask import removal_mask
from DiffuFuseMedLib.tasks.synthesize.remove import remove


@pytest.fixture
def asked(a_tiny_case, inpainters, monkeypatch):
    """A function of the lesion and the request's other fields: the answer."""
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(inpainters))
    monkeypatch.setattr(handlers, "unpack", lambda value, _: value)
    context = Context(SimpleNamespace(map=lambda packed: packed), lambda *_: None, lambda: False)
    bench = Workbench()
    bench.open(protocol.Open(1, "case", a_tiny_case), context)
    given = {"case_id": "case", "model": "tiny-inpainter", "device": "cpu"}
    return lambda lesion, **others: bench.remove(protocol.Remove(2, lesion=lesion, **{**given, **others}), context)


def test_it_is_what_the_library_makes_of_the_widened_lesion(asked, a_tiny_case, an_inpainter):
    lesion = a_tiny_case.reference_mask.array > 0
    mask = removal_mask(lesion, a_tiny_case.grid.spacing_kji_mm, 6.0, body_of(a_tiny_case))
    found, wanted = asked(lesion, margin_mm=6.0), remove(a_tiny_case, mask, an_inpainter)
    assert mask.sum() > removal_mask(lesion, a_tiny_case.grid.spacing_kji_mm).sum()
    np.testing.assert_array_equal(found["removed"], mask)
    assert found["volumes"].keys() == wanted.volumes.keys()
    for key, volume in wanted.volumes.items():
        np.testing.assert_array_equal(found["volumes"][key], volume.array)
    assert found["provenance"]["model"] == "tiny-inpainter"


def test_what_cannot_be_removed_is_refused_in_a_sentence(asked, a_tiny_case):
    lesion = a_tiny_case.reference_mask.array > 0
    with pytest.raises(InputError, match="an empty mask"):
        asked(np.zeros_like(lesion))
    with pytest.raises(InputError, match="the lesion of shape"):
        asked(lesion[:-1])
    with pytest.raises(InputError, match="a margin of -1 mm"):
        asked(lesion, margin_mm=-1.0)
    with pytest.raises(InputError, match="the model 'no-such'"):
        asked(lesion, model="no-such")
    with pytest.raises(UnknownCaseError):
        asked(lesion, case_id="another")
