"""Before a long run: every node that will work sees the folders that it has to."""

from __future__ import annotations

from collections.abc import Sequence

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ..core.errors import InputError
from .shared_folder import Proof, why_not_seen
from .slots import slots_of
from .work import Want


def check_nodes(proofs: Sequence[Proof], want: Want) -> None:
    """Raises InputError for the first node that does not see a proof's folder, with the node's name."""
    nodes = {slot.node_id: slot.node for slot in slots_of(ray.nodes(), want)}
    asked = [(name, _ask(node_id, proofs)) for node_id, name in nodes.items()]
    for name, ref in asked:
        try:
            reasons = ray.get(ref)
        except RayError:  # it went away: the pool sees to that
            continue
        if reasons:
            raise InputError(f"{name}: {reasons[0]}")


def _ask(node_id: str, proofs: Sequence[Proof]) -> ray.ObjectRef:
    where = NodeAffinitySchedulingStrategy(node_id=node_id, soft=False)
    return ray.remote(_reasons).options(num_cpus=0, max_retries=0, scheduling_strategy=where).remote(tuple(proofs))


def _reasons(proofs: Sequence[Proof]) -> list[str]:
    return [str(error) for error in map(why_not_seen, proofs) if error]
