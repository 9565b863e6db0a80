"""Beside the result: why numbers have no range, and what else takes the case out of the model's domain."""

from types import SimpleNamespace

import pytest
from DiffuFuseMedLib.session.domain import DomainGuard


@pytest.mark.parametrize(
    ("prediction", "said"),
    [
        (None, ()),
        (SimpleNamespace(withheld=(), outside=()), ()),
        (SimpleNamespace(withheld=("no range of two",), outside=()), ("no range of two",)),
        (
            SimpleNamespace(withheld=("because of the first",), outside=("first", "second")),
            ("because of the first", "second"),
        ),
    ],
    ids=["no result", "all have one", "two numbers", "the case"],
)
def test_each_reason_is_told_once_and_further_ones_after_it(prediction, said):
    context = SimpleNamespace(
        events=SimpleNamespace(listen=lambda *_: None), prediction=prediction, view_state=SimpleNamespace()
    )
    DomainGuard(context)._judge_result()
    assert context.view_state.withheld == said
