"""What happens to a task, as it waits in the outbox and as it is sent."""

import itertools
import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeAlias

from threadline_agent.checkpoint import AgentCheckpoint, Said
from threadline_agent.fit import Json
from threadline_agent.notices import warn_once

Kind = Literal[
    "task.started", "task.checkpoint", "task.artifact", "task.ended", "task.handed_over", "approval.requested"
]
Says: TypeAlias = "Said | AgentCheckpoint | Mapping[str, Json]"
DETAILS_BYTES = 4000
_BASE_WEIGHT = 250
_NAME_WEIGHT = 12
"""Of a Python object around each character of a field, about."""


class _Names:
    """Names of events: no two processes give the same, and no process gives one twice."""

    def __init__(self) -> None:
        self.anew()

    def anew(self) -> None:
        """A process that was forked has names of its own."""
        self.process = os.urandom(8).hex()
        self.numbers = itertools.count(1)


NAMES = _Names()


class Task(NamedTuple):
    """Whose event it is."""

    task_id: str
    agent_id: str
    lease_id: str | None = None
    """By which a worker has it."""


class Event:
    """One event. It is a plain object, since thousands of them may wait."""

    __slots__ = ("at", "important", "kind", "lost", "number", "says", "task", "weight")

    def __init__(
        self,
        kind: Kind,
        task: Task,
        says: Says,
        *,
        important: bool = True,
        lost: Callable[[str], None] | None = None,
    ) -> None:
        self.kind = kind
        self.task = task
        self.says = says
        self.at = time.time()  # noqa: TID251 - the SDK stands alone; when it happened is told by the program's clock
        self.number = 0
        """Its place among all that were put into the outbox."""
        self.important = important
        self.lost = lost
        """Is told why, should the supervisor not take it."""
        self.weight = _BASE_WEIGHT + (_weight_of(says) if isinstance(says, Mapping) else says.weight)

    def checkpoint(self) -> AgentCheckpoint | None:
        """The checkpoint that it is, if it is one."""
        if isinstance(self.says, Said):
            self.says = self.says.fitted()
        return self.says if isinstance(self.says, AgentCheckpoint) else None


class Letter(NamedTuple):
    """An event as it is sent."""

    event: Event
    encoded: bytes


def letter(event: Event) -> Letter:
    """Written once: however often it is sent, it is the same."""
    checkpoint = event.checkpoint()
    said = checkpoint.as_fields() if checkpoint is not None else event.says
    assert isinstance(said, Mapping)  # noqa: S101 - everything else than a checkpoint is one
    fields: dict[str, Json] = {key: value for key, value in said.items() if value is not None}
    if isinstance(details := fields.get("details"), dict):
        _shorten(details)
    whole: dict[str, Json] = {
        "id": f"{NAMES.process}-{event.number}",
        "type": event.kind,
        "at": as_text(event.at),
        "task_id": event.task.task_id,
        "agent_id": event.task.agent_id,
        **fields,
    }
    if event.task.lease_id is not None:
        whole["lease_id"] = event.task.lease_id
    return Letter(event, _dumped(whole))


def as_text(at: float) -> str:
    """A moment, with its zone."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _shorten(details: dict[str, Json]) -> None:
    """Leaves out the longest values until the rest is small enough."""
    sizes = {key: len(_dumped({key: value})) for key, value in details.items()}
    if sum(sizes.values()) <= DETAILS_BYTES:
        return
    warn_once("long details", "details of a checkpoint have over %s bytes; the longest are left out", DETAILS_BYTES)
    for key in sorted(sizes, key=sizes.__getitem__, reverse=True):
        del details[key]
        if sum(sizes[each] for each in details) <= DETAILS_BYTES:
            return


def _weight_of(says: Mapping[str, Json]) -> int:
    return sum(len(key) + len(str(value)) * 2 + _NAME_WEIGHT for key, value in says.items()) + _BASE_WEIGHT


def _dumped(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")
