"""One worker a GPU, or so many cores of a node."""

import pytest
from DiffuFuseMedLib.cluster.slots import Slot, check_slots, slots_of
from DiffuFuseMedLib.cluster.work import Want
from DiffuFuseMedLib.core.errors import InputError


def node(name, alive=True, **resources):
    told = {"NodeID": f"id-{name}", "NodeManagerHostname": name, "Alive": alive}
    return {**told, "Resources": {k: float(v) for k, v in resources.items()}}


def shapes(nodes, want):
    return [(slot.node, slot.index, slot.cores, slot.gpus) for slot in slots_of(nodes, want)]


def test_cores_are_shared_out_and_a_small_node_is_one_slot():
    nodes = [node("large", CPU=10), node("small", CPU=3), node("none")]
    assert shapes(nodes, Want("cpu", 4)) == [("large", 0, 4, 0), ("large", 1, 4, 0), ("small", 0, 3, 0)]


def test_a_gpu_is_a_slot_with_its_share_of_the_cores():
    assert shapes([node("a", CPU=6, GPU=2)], Want("auto", 4)) == [("a", 0, 3, 1), ("a", 1, 3, 1)]
    assert shapes([node("a", CPU=32, GPU=2)], Want("cuda", 4)) == [("a", 0, 4, 1), ("a", 1, 4, 1)]
    assert shapes([node("a", CPU=1, GPU=2)], Want("cuda", 4)) == [("a", 0, 0, 1), ("a", 1, 0, 1)]


def test_auto_takes_gpus_alone_where_there_are_any_and_cpu_takes_none():
    nodes = [node("a", CPU=4), node("b", CPU=4, GPU=1)]
    assert shapes(nodes, Want("auto", 4)) == [("b", 0, 4, 1)]
    assert shapes(nodes, Want("cpu", 4)) == [("a", 0, 4, 0), ("b", 0, 4, 0)]
    assert shapes(nodes[:1], Want("auto", 4)) == [("a", 0, 4, 0)]


def test_a_dead_node_has_no_slots_nor_are_its_gpus_waited_for():
    nodes = [node("a", CPU=4), node("b", alive=False, CPU=4, GPU=1)]
    assert shapes(nodes, Want("auto", 4)) == [("a", 0, 4, 0)]


def test_a_slot_tells_where_it_is():
    assert Slot("id", "node7", 1, 4, 1).place == "node7 cuda 1"
    assert Slot("id", "node7", 0, 4, 0).place == "node7 cpu 0"


@pytest.mark.parametrize(("device", "what"), [("cuda", "GPUs"), ("cpu", "cores"), ("auto", "cores")])
def test_no_room_is_refused_in_a_sentence(device, what):
    with pytest.raises(InputError, match=f"nodes offer no {what}"):
        check_slots(slots_of([node("a")], Want(device)), Want(device))
