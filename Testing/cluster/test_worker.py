"""A worker prepares once; what goes wrong is a reason, never an exception that ends its process."""

import pytest
from DiffuFuseMedLib import __version__
from DiffuFuseMedLib.cluster.shared_folder import Proof
from DiffuFuseMedLib.cluster.work import Work
from DiffuFuseMedLib.cluster.worker import Worker
from DiffuFuseMedLib.core.errors import input_error


def load(device):
    return {"device": device}


def use(prepared, item):
    if item == "bad":
        raise input_error("a bad case", "a good one", "mend it")
    if item == "worse":
        raise RuntimeError("two\nlines")
    return prepared, item


@pytest.fixture
def worker():
    return Worker(Work(load, use), "cuda", "node7 cuda 1")


def test_what_was_prepared_is_there_for_each_item(worker):
    assert worker.prepare(__version__, ()) == ""
    first, second = worker.do("a"), worker.do("b")
    assert first.result == ({"device": "cuda"}, "a")
    assert first.result[0] is second.result[0]
    assert (first.item, first.place, first.failed) == ("a", "node7 cuda 1", False)


def test_a_failure_is_a_reason_on_one_line_and_the_next_item_goes_on(worker):
    worker.prepare(__version__, ())
    assert worker.do("bad").reason == "Given a bad case, wanted a good one: mend it."
    assert worker.do("worse").reason == "RuntimeError: two lines"
    assert worker.do("good").result[1] == "good"


def test_a_node_with_another_version_or_without_the_folder_is_told(worker, tmp_path):
    reason = worker.prepare("9.9.9", ())
    assert reason.startswith("node7 cuda 1: ")
    assert "install one version on all nodes" in reason
    assert "does not see the folder gone" in worker.prepare(__version__, [Proof(tmp_path / "gone", "", "ab")])


def test_what_the_preparation_raises_is_told():
    def broken(device):
        raise OSError("no such GPU")

    assert Worker(Work(broken, use), "cuda", "here").prepare(__version__, ()) == "here: OSError: no such GPU"
