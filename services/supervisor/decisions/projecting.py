"""Folds events into tasks, and gathers the rows that follow: the same for a service that goes on and for a rebuild."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

from schemas.agent import (
    AgentEvent,
    ApprovalAttempted,
    ApprovalDecided,
    ApprovalRequested,
    Intervention,
    TaskArtifact,
    TaskCheckpoint,
)
from services.supervisor.decisions.folding import asks_too_much, fold, refused
from services.supervisor.decisions.keeping import KEPT, is_forgotten
from services.supervisor.decisions.task import Approval, Task

Key: TypeAlias = tuple[str, str]
"""A tenant, and a task of it."""
REMEMBERED: Final = 256
"""So many events of a task are known again. A program sends at most a hundred at once, and again until they stand."""
MARK: Final = 8
"""Bytes that stand for an event's id."""

Row: TypeAlias = tuple[Any, ...]


class Held(NamedTuple):
    """A task, and the marks of its last events."""

    task: Task | None
    recent: bytes = b""


class Step(NamedTuple):
    """What one event made of its task."""

    before: Task | None
    after: Task | None
    is_repeat: bool = False


@dataclass
class Changes:
    """The rows of one tenant that are to be written."""

    tasks: dict[str, Held] = field(default_factory=dict)
    checkpoints: dict[str, Row] = field(default_factory=dict)
    artifacts: dict[str, Row] = field(default_factory=dict)
    interventions: dict[str, Row] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    """Tasks of which whatever stood before goes: others have their names by now."""

    def forget(self, task_id: str) -> None:
        """Nothing of a task is to be written, or stays."""
        self.forgotten.add(task_id)
        self.tasks.pop(task_id, None)
        for rows, place in ((self.checkpoints, 1), (self.artifacts, 1), (self.interventions, 2)):
            for name in [name for name, row in rows.items() if row[place] == task_id]:
                del rows[name]


@dataclass
class Projection:
    """The tasks of one partition that are in hand, and what changed of them.

    Whoever speaks of tasks reads those that are written: what people see, and click on, is known to whoever asks.
    """

    partition: int
    tasks: dict[Key, Held] = field(default_factory=dict)
    """As they are written."""
    changes: dict[str, Changes] = field(default_factory=dict)
    """What is folded and not written yet, by tenant."""
    kept: timedelta = KEPT
    """How long a task that is over is known."""

    def take(self, event: AgentEvent, event_id: str) -> Step:
        """Folds one event. Its task must be in hand, if there is one."""
        key = (event.tenant_id, event.task_id)
        held = self._held(key)
        is_another = held.task is not None and is_forgotten(held.task, event, self.kept)
        held = Held(None) if is_another else held
        mark = _mark_of(event_id)
        if _stands_in(mark, held.recent):
            return Step(held.task, held.task, is_repeat=True)
        after = fold(held.task, event, event_id)
        if after is None:
            return Step(held.task, None)
        changes = self.changes.setdefault(event.tenant_id, Changes())
        if is_another:
            changes.forget(event.task_id)
        now = Held(after, (held.recent + mark)[-REMEMBERED * MARK :])
        changes.tasks[event.task_id] = now
        self._rows(changes, event, event_id, counts=after is not held.task)
        if isinstance(event, ApprovalDecided) and after is held.task and event.decided_by is not None:
            late = _Intervention("attempt", "already_decided", event.approval_id, event.decided_by, event.via)
            changes.interventions[event_id] = late.row(event_id, event.task_id, self.partition, event.at)
        if isinstance(event, ApprovalRequested) and asks_too_much(after, event):
            changes.interventions[event.approval_id] = _of_approval(refused(event), event.task_id, self.partition)
        self._approvals(changes, held.task, after)
        return Step(held.task, after)

    def written(self) -> set[Key]:
        """What changed is written. Gives the tasks that did."""
        changed = {(name, task_id): held for name, each in self.changes.items() for task_id, held in each.tasks.items()}
        self.tasks |= changed
        self.changes = {}
        return set(changed)

    def forget(self, is_old: Callable[[Task], bool]) -> None:
        """Lets go of tasks that nothing is expected of any more. They are read again where something comes."""
        for key in [key for key, held in self.tasks.items() if held.task is None or is_old(held.task)]:
            del self.tasks[key]

    def forget_tenant(self, tenant_id: str) -> None:
        """Lets go of everything of a tenant."""
        for key in [key for key in self.tasks if key[0] == tenant_id]:
            del self.tasks[key]

    def _held(self, key: Key) -> Held:
        """A task as it is folded."""
        tenant_id, task_id = key
        changes = self.changes.get(tenant_id)
        folded = changes.tasks.get(task_id) if changes is not None else None
        return folded or self.tasks.get(key) or Held(None)

    def _rows(self, changes: Changes, event: AgentEvent, event_id: str, *, counts: bool) -> None:
        """What a program says of a task that is over, or that it has lost, makes none."""
        where = (event_id, event.task_id, self.partition, event.at)
        match event:
            case TaskCheckpoint() if counts:
                changes.checkpoints[event_id] = (
                    *where,
                    event.received_at,
                    event.status,
                    event.level,
                    event.action,
                    event.progress,
                    event.step,
                    event.context_used,
                    event.cost_usd,
                    event.details_json,
                )
            case TaskArtifact() if counts:
                changes.artifacts[event_id] = (*where, event.artifact, event.title, event.link)
            case Intervention():
                told = _Intervention(event.action, "told", event.action, event.by_user, event.via, answer=event.text)
                changes.interventions[event_id] = told.row(event_id, event.task_id, self.partition, event.at)
            case ApprovalAttempted():
                tried = _Intervention("attempt", event.fault, event.approval_id, event.attempted_by, event.via)
                changes.interventions[event_id] = tried.row(event_id, event.task_id, self.partition, event.at)
            case _:
                pass

    def _approvals(self, changes: Changes, before: Task | None, after: Task | None) -> None:
        if after is None or (before is not None and before.approvals is after.approvals):
            return
        known = {each.approval_id: each for each in before.approvals} if before is not None else {}
        for each in after.approvals:
            if known.get(each.approval_id) is not each:
                changes.interventions[each.approval_id] = _of_approval(each, after.task_id, self.partition)


@dataclass(frozen=True)
class _Intervention:
    """What a person did that is no answer to an approval."""

    kind: str
    state: str
    action: str
    by_user: str
    via: str
    answer: str | None = None

    def row(self, event_id: str, task_id: str, partition: int, at: datetime) -> Row:
        what = (event_id, None, task_id, partition, self.kind, self.state, self.action, None, None, ())
        return (*what, self.answer, None, self.by_user, self.via, at, None, at)


def _of_approval(approval: Approval, task_id: str, partition: int) -> Row:
    return (
        approval.approval_id,
        approval.request_id,
        task_id,
        partition,
        approval.kind,
        approval.state,
        approval.action,
        approval.arguments_json,
        approval.arguments_hash,
        approval.choices,
        approval.answer,
        approval.reason,
        approval.decided_by,
        approval.via,
        approval.asked_at,
        approval.expires_at,
        approval.decided_at,
    )


def keys_of(events: Iterable[AgentEvent]) -> set[Key]:
    """The tasks that events are about."""
    return {(each.tenant_id, each.task_id) for each in events}


def apart(keys: Iterable[Key]) -> tuple[list[str], list[str]]:
    """The tenants, and the names of their tasks beside them: so Postgres takes them."""
    every = list(keys)
    return [tenant_id for tenant_id, _ in every], [task_id for _, task_id in every]


def is_folded(event_id: str, recent: bytes) -> bool:
    """Whether an event is among the last of its task."""
    return _stands_in(_mark_of(event_id), recent)


def _mark_of(event_id: str) -> bytes:
    return hashlib.blake2b(event_id.encode(), digest_size=MARK).digest()


def _stands_in(mark: bytes, recent: bytes) -> bool:
    """Marks stand one behind the other, each at a multiple of its length."""
    at = recent.find(mark)
    while at >= 0 and at % MARK:
        at = recent.find(mark, at + 1)
    return at >= 0
