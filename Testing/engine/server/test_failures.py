"""What a request raised, as an answer: also where saying it raises again."""

import pytest
from DiffuFuseMedLib.engine.server import failures


@pytest.mark.parametrize(("error", "code"), [(MemoryError(), "out_of_memory"), (KeyError("x"), "internal")])
@pytest.mark.parametrize("again", [ImportError, MemoryError, SystemExit])
def test_an_error_on_the_way_to_the_words_is_an_answer_all_the_same(monkeypatch, error, code, again):
    def broken(_):
        raise again

    monkeypatch.setattr(failures, "detail_of", broken)
    told = failures.failure_whatever_happens(error, 7)
    assert (told.id, told.code, told.sentence) == (7, code, failures.SENTENCES[code])


def test_nothing_is_imported_to_tell_what_an_error_is(monkeypatch):
    monkeypatch.delitem(failures.sys.modules, failures.DEVICES, raising=False)
    monkeypatch.setitem(failures.sys.modules, "torch", None)
    assert failures.code_of(MemoryError()) == "out_of_memory"
    assert failures.code_of(ValueError()) == "internal"


def test_the_allocators_words_are_known_where_they_can_be_raised():
    from DiffuFuseMedLib.models import devices

    assert devices.__name__ == failures.DEVICES
    assert failures.code_of(RuntimeError("[enforce fail] not enough memory: you tried")) == "out_of_memory"
