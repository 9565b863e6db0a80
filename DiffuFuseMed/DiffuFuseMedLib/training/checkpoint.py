"""Checkpoints: all that a training needs to go on to the same weights as if it had never been stopped.

One file a stage: tensors in safetensors, the rest as JSON in the file's metadata, so that it is written whole or not at
all. No pickles.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..core.errors import input_error
from ..core.staging import staged
from ..core.whole_file import write_whole
from . import randomness
from .state import HasState, Stage, State

FACTS = ("step", "minutes", "skipped", "history", "running", "finished")


@dataclass
class Checkpoints:
    """The checkpoints of one run. resume: go on from those that are there; one is due after so many minutes by the
    clock, or steps."""

    folder: Path
    resume: bool = False
    every_minutes: float = 10.0
    every_steps: int | None = None
    identity: dict[str, str] = field(default_factory=dict)
    _written_at: float = field(init=False)

    def __post_init__(self) -> None:
        """Raises InputError when there is nothing to resume, or a run that was not asked for."""
        self._written_at = time.monotonic()
        found = [read_facts(path)["step"] for path in self._files()]
        if self.resume and not found:
            raise input_error(
                f"no checkpoint in {self.folder}", "one to resume from", "start without --resume or tell --checkpoints"
            )
        if found and not self.resume:
            raise input_error(
                f"a run in {self.folder} that was stopped at step {max(found)}",
                "no other run's checkpoints",
                "go on with --resume, delete that folder or choose another with --checkpoints",
            )

    def claim(self, identity: dict[str, str]) -> None:
        """Say what the checkpoints go with, such as recipe, seed and data by name; raises InputError when those that
        are to be resumed were made with another."""
        self.identity = identity
        facts = [read_facts(path)["identity"] for path in self._files()]
        if others := sorted({name for kept in facts for name in identity if kept.get(name) != identity[name]}):
            raise input_error(
                f"a checkpoint in {self.folder} with another {' and '.join(others)}",
                "the recipe, seed and data that it was begun with",
                "resume with the same options, or start over with another --checkpoints",
            )

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.safetensors"))

    def path(self, stage: str) -> Path:
        return self.folder / f"{stage.replace(' ', '-')}.safetensors"

    def restore(self, stage: Stage, state: State) -> None:
        """Put the state where its checkpoint left it; a stage that has none begins."""
        path = self.path(stage.name)
        if self.resume and path.is_file():
            _put_back(read_tensors(path), read_facts(path), stage, state)

    def due(self, step: int) -> bool:
        by_steps = self.every_steps is not None and step % self.every_steps == 0
        return by_steps or time.monotonic() - self._written_at >= 60 * self.every_minutes

    def write(self, stage: Stage, state: State) -> None:
        """Replace the stage's checkpoint; one that is finished keeps the average alone."""
        facts = {name: getattr(state, name) for name in FACTS}
        facts |= {"identity": self.identity, "python": randomness.python_state()}
        path = self.path(stage.name)
        with staged(self.folder) as folder:
            write_whole(folder / path.name, save(_tensors(stage, state), metadata={"facts": json.dumps(facts)}))
        self._written_at = time.monotonic()

    def discard(self) -> None:
        """The run is over: its checkpoints say nothing more."""
        for path in self._files():
            path.unlink()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def read_facts(path: Path) -> dict[str, Any]:
    """What a checkpoint says beside its tensors; raises InputError when it is none."""
    try:
        with safe_open(path, "pt") as file:
            return json.loads(file.metadata()["facts"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise input_error(
            f"the unreadable checkpoint {path.name}", "one that training wrote", "delete it and start over"
        ) from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _tensors(stage: Stage, state: State) -> dict[str, Tensor]:
    groups = {"average": state.average.state_dict(), "random": randomness.torch_states(state.generator)}
    if not state.finished:
        groups |= {"network": state.network.state_dict(), "optimizer": _moments(state)}
        groups |= {name: part.state_dict() for name, part in _beside(stage).items()}
    # safetensors refuses tensors that share memory
    return {f"{g}/{n}": x.detach().cpu().clone().contiguous() for g, xs in groups.items() for n, x in xs.items()}


def _beside(stage: Stage) -> dict[str, HasState]:
    """What has a state beside the network, by name."""
    parts = {"feedback": stage.feedback, "source": stage.source}
    return {name: part for name, part in parts.items() if part is not None}


def _moments(state: State) -> dict[str, Tensor]:
    """AdamW's state by "number of the parameter/name": its groups the recipe makes anew."""
    kept = state.optimizer.state_dict()["state"]
    return {f"{number}/{name}": value for number, values in kept.items() for name, value in values.items()}


def _put_back(tensors: dict[str, Tensor], facts: dict[str, Any], stage: Stage, state: State) -> None:
    of = lambda group: {n.split("/", 1)[1]: x for n, x in tensors.items() if n.startswith(f"{group}/")}  # noqa: E731
    state.average.load_state_dict(of("average"))
    for name in FACTS:
        setattr(state, name, facts[name])
    if not state.finished:
        state.network.load_state_dict(of("network"))
        _put_back_moments(of("optimizer"), state)
        for name, part in _beside(stage).items():
            part.load_state_dict(of(name))
    randomness.restore(state.generator, of("random"), facts["python"])


def _put_back_moments(moments: dict[str, Tensor], state: State) -> None:
    by_number: dict[int, dict[str, Tensor]] = {}
    for key, value in moments.items():
        number, name = key.split("/")
        by_number.setdefault(int(number), {})[name] = value
    groups = state.optimizer.state_dict()["param_groups"]
    state.optimizer.load_state_dict({"state": by_number, "param_groups": groups})
