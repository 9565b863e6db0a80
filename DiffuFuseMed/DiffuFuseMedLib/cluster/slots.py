"""Where workers can live: a slot for each GPU of a cluster, or for so many cores of each node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import InputError, input_error
from .work import Want


@dataclass(frozen=True)
class Slot:
    """Room for one worker. node_id: Ray's; node: its name for a reader; index: which of the node's slots."""

    node_id: str
    node: str
    index: int
    cores: int
    gpus: int

    @property
    def device(self) -> str:
        return "cuda" if self.gpus else "cpu"

    @property
    def place(self) -> str:
        """Such as "node7 cuda 1"."""
        return f"{self.node} {self.device} {self.index}"


def slots_of(nodes: Sequence[Mapping[str, Any]], want: Want) -> list[Slot]:
    """The slots of the nodes that are alive, as ray.nodes() tells them: GPUs where "cuda" is wanted, or "auto" and any
    node has one; cores elsewhere, a node with fewer than are wanted being one slot."""
    alive = [node for node in nodes if node["Alive"]]
    gpus = want.device.startswith("cuda") or (want.device == "auto" and any(_count(node, "GPU") for node in alive))
    return [slot for node in alive for slot in (_of_gpus(node, want) if gpus else _of_cores(node, want))]


def check_slots(slots: Sequence[Slot], want: Want) -> None:
    """Raises InputError for a cluster that has no room for any worker."""
    if not slots:
        what = "GPUs" if want.device.startswith("cuda") else "cores"
        raise no_room(f"a cluster whose nodes offer no {what}")


def no_room(given: str) -> InputError:
    return input_error(given, "nodes that do", "start them with --num-cpus or --num-gpus, or choose another --device")


def _of_gpus(node: Mapping[str, Any], want: Want) -> Iterator[Slot]:
    gpus = _count(node, "GPU")
    for index in range(gpus):
        yield Slot(node["NodeID"], _name(node), index, min(want.cores, _count(node, "CPU") // gpus), 1)


def _of_cores(node: Mapping[str, Any], want: Want) -> Iterator[Slot]:
    cores = _count(node, "CPU")
    for index in range(max(1, cores // want.cores) if cores else 0):
        yield Slot(node["NodeID"], _name(node), index, min(want.cores, cores), 0)


def _count(node: Mapping[str, Any], resource: str) -> int:
    return int(node["Resources"].get(resource, 0))


def _name(node: Mapping[str, Any]) -> str:
    return str(node["NodeManagerHostname"])
