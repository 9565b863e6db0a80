"""The engine's handlers in this process: they say what the command line says, to the last bit."""

from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.engine.server.handlers import Workbench
from DiffuFuseMedLib.engine.wire import protocol
from DiffuFuseMedLib.engine.wire.pack import pack
from DiffuFuseMedLib.tasks.segment.predict import predict
from DiffuFuseMedLib.tasks.segment.settings import Settings


@pytest.fixture
def ask(models, a_case):
    """A function of a Segment's fields: the answer of a workbench that has a_case() open, by the model "tiny"."""
    workbench, arrays = Workbench(), []
    handlers = workbench.handlers()

    def write(array):
        arrays.append(array)
        return {"$array": len(arrays) - 1}

    context = SimpleNamespace(
        arrays=SimpleNamespace(map=lambda reference: arrays[reference["$array"]]),
        progress=lambda *told: None,
        cancel=lambda: False,
    )
    handlers["open"](protocol.Open(1, "a", pack(a_case().unscored(), write)), context)

    def answer(**fields):
        return handlers["segment"](protocol.Segment(2, "a", str(models / "tiny"), device="cpu", **fields), context)

    return answer


@pytest.mark.parametrize("options", [{}, {"gating": False}], ids=["as it is", "gating off"])
def test_what_the_engine_says_is_what_predict_says_to_the_last_bit(ask, a_case, a_model, options):
    """The first time, again with everything kept, and after a modality was switched off between."""
    here = predict(a_case(), a_model, Settings(samples=2, options=options))
    first = ask(samples=2, options=options)
    ask(samples=1, modalities=["CT"], options=options)
    for said in (first, ask(samples=2, options=options)):
        np.testing.assert_array_equal(said.probability, here.probability)
        np.testing.assert_array_equal(said.inner, here.inner)
        assert all(np.array_equal(said.uncertainty[name], here.uncertainty[name]) for name in here.uncertainty)
        assert (said.gates, said.volume_ml) == (here.gates, here.volume_ml)
        assert said.provenance["gating"] is options.get("gating", True)


def test_an_option_that_the_model_does_not_have_is_refused(ask):
    with pytest.raises(InputError, match=r"^Given the option 'speed' for the system diffufusemed, wanted .*\(gating\)"):
        ask(samples=1, options={"speed": 2})
