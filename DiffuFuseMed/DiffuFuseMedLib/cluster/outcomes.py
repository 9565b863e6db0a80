"""Items on a cluster, from its address to the last outcome."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any

from .connection import joined
from .shared_folder import proofs
from .work import Member, Outcome, Want, Work


def outcomes_on(
    address: str,
    items: Sequence[Any],
    work: Work,
    want: Want,
    tell: Callable[[list[Member]], None] = lambda members: None,
    say: Callable[[str], None] = lambda sentence: None,
) -> Generator[Outcome, None, None]:
    """Each item's Outcome as soon as it is over, from the cluster at the address: "local" starts one on this machine.

    tell: called with all workers, now and then; say: with a sentence when a node is left out or a worker lost. Raises
    InputError where Ray is missing, the cluster cannot be joined or has no room, or a node does not see the folders
    that `want` names.
    """
    with joined(address):
        from .nodes import check_nodes
        from .pool import Pool

        with proofs(want.folders) as seen:
            if seen:
                check_nodes(seen, want)
            with closing(Pool(work, want, seen, tell, say).run(items)) as outcomes:
                yield from outcomes
