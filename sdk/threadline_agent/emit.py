"""What a shell script can say of its task: one thing in each call, brought at once or told that it was not."""

import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from threadline_agent import line
from threadline_agent.approval import Approval, Outcome
from threadline_agent.emitter import SyncCheckpointEmitter
from threadline_agent.notices import LOG, warn_once
from threadline_agent.reporting import TaskOptions
from threadline_agent.settings import AGENT, TASK, variable

WAIT_S = 2.0
NOT_TAKEN, WRONG = 1, 2
CODES: Mapping[Outcome, int] = {
    Outcome.APPROVED: 0,
    Outcome.CHOSEN: 0,
    Outcome.ANSWERED: 0,
    Outcome.REJECTED: 3,
    Outcome.EXPIRED: 4,
    Outcome.WITHDRAWN: 5,
    Outcome.CANCELLED: 6,
    Outcome.UNAVAILABLE: 7,
    Outcome.REFUSED: 8,
}
"""How a command ends that waited for an answer."""


class Misused(Exception):
    """The script asked for something that cannot be."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command leads to."""

    said: str | None = None
    """For standard output."""
    code: int = 0
    taken: bool = True
    """Whether the supervisor has it."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Which task a command is about; what is not said is in the environment."""

    task: str | None = None
    agent: str | None = None

    def emitter(self) -> SyncCheckpointEmitter:
        """Reports into it."""
        task_id = self.task or variable(TASK)
        if task_id is None:
            raise Misused(f"name the task: --task, or {TASK}; `emit start` says its id")
        return SyncCheckpointEmitter(self.agent, task_id=task_id, heartbeat=None)


def start(agent: str | None, task_name: str, **options: Unpack[TaskOptions]) -> Done:
    """Begins a task; says its id."""
    named = agent or variable(AGENT)
    if named is None:
        raise Misused(f"name the agent: --agent, or {AGENT}")
    options["heartbeat"] = None  # this process will not live for long
    task = SyncCheckpointEmitter(named, task_name, **options)
    delivery = _Delivery(task)
    task.start()
    return Done(task.task_id, taken=delivery.taken())


def checkpoint(whose: Whose, action: str, level: str = "info", details: str | None = None, **said: Any) -> Done:
    """How far it is."""
    task = whose.emitter()
    delivery = _Delivery(task)
    report = {"warning": task.warn, "error": task.error}.get(level, task.checkpoint)
    if level in {"warning", "error"}:
        said.pop("status", None)
    report(action, **{**_details(details), **{key: value for key, value in said.items() if value is not None}})
    return Done(taken=delivery.taken())


def artifact(whose: Whose, kind: str, title: str, link: str | None = None) -> Done:
    """Something that it made."""
    task = whose.emitter()
    delivery = _Delivery(task)
    task.add_artifact(kind, title, link)
    return Done(taken=delivery.taken())


def end(whose: Whose, status: str = "complete", summary: str | None = None) -> Done:
    """It is over."""
    task = whose.emitter()
    ends = {"complete": task.complete, "error": task.fail, "cancelled": task.cancel}
    if status not in ends:
        raise Misused(f"a task ends as {', '.join(ends)}, not as {status}")
    delivery = _Delivery(task)
    ends[status](summary)
    return Done(taken=delivery.taken())


def approval(
    whose: Whose, action: str, arguments: str | None = None, choices: list[str] | None = None, timeout: float = 3600.0
) -> Done:
    """Waits until somebody says yes or no, or chooses."""
    try:
        given = json.loads(arguments) if arguments else {}
    except (ValueError, RecursionError) as error:
        raise Misused(f"--arguments is no JSON: {error}") from None
    try:
        return _answered(whose.emitter().request_approval(action, given, choices=choices, timeout=timeout))
    except (TypeError, ValueError) as error:
        raise Misused(str(error)) from None


def ask(whose: Whose, question: str, timeout: float = 3600.0) -> Done:
    """Waits until somebody answers; says the answer."""
    return _answered(whose.emitter().ask(question, timeout=timeout))


def finish(done: Done, *, strict: bool) -> int:
    """Says what came of it; gives what the command ends with."""
    if done.said is not None:
        sys.stdout.write(f"{done.said}\n")
    return done.code if done.taken or not strict else NOT_TAKEN


def log_to_stderr() -> None:
    """A script sees there what is only logged, and what went wrong."""
    logging.basicConfig(level=logging.WARNING, format="threadline-agent: %(message)s", stream=sys.stderr)
    LOG.setLevel(logging.INFO)


class _Delivery:
    """Whether what a task says now is taken."""

    def __init__(self, task: SyncCheckpointEmitter) -> None:
        self._task = task
        self._lost: list[str] = []
        task.tell_of_losses(self._lost.append)

    def taken(self) -> bool:
        """Waits for that, and tells where it was not."""
        brought = line.flush(WAIT_S)
        if self._task.is_only_logged():
            return False  # that was told when the task began
        if brought and not self._lost:
            return True
        why = self._lost[0] if self._lost else self._task.trouble() or f"no answer within {WAIT_S:.0f} seconds"
        LOG.warning("the supervisor has not taken it: %s", why)
        line.wait_no_more()
        return False


def _answered(answer: Approval) -> Done:
    if answer.reason:
        LOG.info("%s: %s", answer.outcome.value, answer.reason)
    if CODES[answer.outcome]:
        line.wait_no_more()  # what could not be brought for as long as the answer was waited for
    return Done(answer.answer if answer.answer is not None else answer.outcome.value, CODES[answer.outcome])


def _details(given: str | None) -> dict[str, Any]:
    if given is None:
        return {}
    try:
        details = json.loads(given)
    except (ValueError, RecursionError):
        details = None
    if isinstance(details, dict):
        return details
    warn_once("emit details", "--details is no JSON object; it is left out")
    return {}
