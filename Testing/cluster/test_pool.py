"""On a real cluster of two nodes: every item comes back once, whoever dies meanwhile."""

import threading
import time
from collections import Counter

import pytest
from DiffuFuseMedLib.cluster.work import Want, Work
from DiffuFuseMedLib.core.errors import InputError

from Testing.cluster import work

DOUBLE = Work(work.load, work.double)
CPU = Want("cpu", 1)
BACK_S = 20  # for a worker's core to be free again


@pytest.fixture(scope="module")
def run(cluster):
    """A function of items, and what a Pool takes: its outcomes, on one connection for all tests."""
    from DiffuFuseMedLib.cluster.connection import joined

    with joined(cluster.address):
        from DiffuFuseMedLib.cluster.pool import Pool

        yield lambda items, work=DOUBLE, want=CPU, **others: Pool(work, want, **others).run(items)


@pytest.fixture
def items(tmp_path):
    """A function (count, by number what else an item says): items that note in one file that they were begun."""
    calls = tmp_path / "calls"
    return lambda count, others=None: [
        {"number": n, "calls": str(calls), **(others or {}).get(n, {})} for n in range(1, count + 1)
    ]


@pytest.fixture
def begun(tmp_path):
    """A function: how often each item was begun."""
    calls = tmp_path / "calls"
    return lambda: Counter(map(int, calls.read_text().split())) if calls.exists() else Counter()


def doubles(outcomes):
    return sorted(outcome.result["double"] for outcome in outcomes if not outcome.failed)


def test_all_items_are_done_once_by_one_worker_a_node_that_loads_once(run, items, begun):
    told, slow = [], {n: {"seconds": 0.3} for n in range(1, 7)}
    found = list(run(items(6, slow), tell=told.append))
    assert doubles(found) == [2, 4, 6, 8, 10, 12]
    assert set(begun().values()) == {1}
    assert {(outcome.result["loads"], outcome.result["device"]) for outcome in found} == {(1, "cpu")}
    assert len({outcome.result["pid"] for outcome in found}) <= 2
    assert {len(members) for members in told} == {2}
    assert max(sum(member.done for member in members) for members in told) == 5  # before the last one
    assert all(0.3 <= outcome.seconds < 20 and outcome.place.endswith(" cpu 0") for outcome in found)


def test_the_dead_lose_nothing_and_what_fails_or_kills_twice_is_a_row(run, items, begun, tmp_path):
    others = {1: {"dies": True}, 2: {"dies_once": str(tmp_path / "died")}, 3: {"fails": True}, 4: {"unsendable": True}}
    said = []
    found = list(run(items(5, others), say=said.append))
    assert doubles(found) == [4, 10]
    reasons = {outcome.item["number"]: outcome.reason for outcome in found if outcome.failed}
    assert set(reasons) == {1, 3, 4}
    assert "ended before its time, twice" in reasons[1]
    assert reasons[3] == "Given a three, wanted another number: choose one."
    assert "generator" in reasons[4]
    assert begun() == {1: 2, 2: 2, 3: 1, 4: 1, 5: 1}
    assert sum("is lost" in sentence for sentence in said) == 3


def test_a_node_that_goes_away_loses_nothing(cluster, run, items, begun):
    lost = cluster.add()
    given = items(3, {n: {"seconds": 3.0} for n in range(1, 4)})  # one for each of three nodes
    removing = threading.Thread(target=_remove_once_all_began, args=(cluster, lost, begun))
    removing.start()
    found = list(run(given))
    removing.join()
    assert doubles(found) == [2, 4, 6]
    assert sorted(begun().values()) == [1, 1, 2]


def _remove_once_all_began(cluster, node, begun):
    ends = time.monotonic() + 60
    while len(begun()) < 3 and time.monotonic() < ends:
        time.sleep(0.1)
    cluster.remove_node(node, allow_graceful=False)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [(work.refuse, "cpu 0: Given a model that is damaged"), (work.die_at_once, "ended while it got ready")],
    ids=["refuses", "dies"],
)
def test_workers_that_cannot_get_ready_end_the_run_with_their_reason(run, items, begun, monkeypatch, prepare, words):
    monkeypatch.setattr("DiffuFuseMedLib.cluster.pool.MOST_STARTS", 1)
    with pytest.raises(InputError, match=words):
        list(run(items(1), Work(prepare, work.double)))
    assert not begun()


def test_a_cluster_without_gpus_is_refused_for_cuda(run, items):
    with pytest.raises(InputError, match="offer no GPUs"):
        list(run(items(1), want=Want("cuda")))


def test_a_folder_that_a_node_sees_otherwise_is_named(cluster, run):
    from pathlib import Path

    from DiffuFuseMedLib.cluster.nodes import check_nodes
    from DiffuFuseMedLib.cluster.shared_folder import proofs

    with proofs([Path("/proc/self/task")]) as seen, pytest.raises(InputError, match="does not see the folder task"):
        check_nodes(seen, CPU)  # of each process another


def test_whoever_stops_early_leaves_no_worker(run, items):
    import ray

    running = run(items(4, {n: {"seconds": 60} for n in (2, 3, 4)}))
    next(running)
    running.close()
    ends = time.monotonic() + BACK_S
    while ray.available_resources().get("CPU", 0) < 2 and time.monotonic() < ends:
        time.sleep(0.1)
    assert ray.available_resources()["CPU"] == 2
