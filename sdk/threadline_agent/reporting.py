"""What a task can say, whoever says it. Nothing here waits, and nothing raises into the agent."""

import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Literal, ParamSpec, TypedDict, Unpack

from threadline_agent import fit
from threadline_agent import settings as known
from threadline_agent.approval import LONGEST_S, Approval, Inquiry, Outcome, Question
from threadline_agent.checkpoint import AgentCheckpoint, Said
from threadline_agent.events import Event, Kind, Says, Task
from threadline_agent.fit import Json
from threadline_agent.line import Line, line_of
from threadline_agent.notices import mishap, warn_once
from threadline_agent.status import AgentStatus
from threadline_agent.task_orders import AgentMessage, Orders

HEARTBEAT_S, LONGEST_HEARTBEAT_S = 10.0, 3600.0
HOUR_S = 3600.0
"""A question waits so long whose time cannot be read."""
CONTEXT_SIZE = 200_000
ARTIFACTS: Mapping[str, str] = {
    "pull_request": "pull_request",
    "pr": "pull_request",
    "file": "file",
    "deploy": "deploy",
    "link": "link",
}
EndStatus = Literal["complete", "error", "cancelled"]
Parameters = ParamSpec("Parameters")


class TaskCancelled(Exception):
    """Somebody cancelled the task. `by` is who, `reason` why, where that is known."""

    def __init__(self, by: str | None, reason: str | None) -> None:
        super().__init__(f"cancelled{f' by {by}' if by else ''}{f': {reason}' if reason else ''}")
        self.by = by
        self.reason = reason


class TaskOptions(TypedDict, total=False):
    """What may be said of a task beside its agent and its name."""

    repo_scope: str | None
    """What it may touch, such as acme/shop."""
    context_size: int
    """How many tokens its model can see at once."""
    parent_task_id: str | None
    """The task that it is a part of; without, the one that runs around it."""
    started_by: str | None
    """The Slack user id of who wanted it."""
    task_id: str | None
    """A name of its own; one is drawn without."""
    lease_id: str | None
    """By which a worker has a task that people want: `Work.task()` knows it."""
    heartbeat: float | None
    """How often it says that it lives, in seconds. With None it never does, and hears of no cancel."""
    channel: str | None
    """Where in Slack it is told of: an id, or a name with # before it."""
    workspace: str | None
    """The team id, where the tenant has several."""
    app: str | None
    """The app id, where there are several."""


def harmless(report: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """Whatever fails in it is logged, and is no fault of the agent's."""

    @wraps(report)
    def reported(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        try:
            report(*args, **kwargs)
        except Exception:  # noqa: BLE001 - an agent is never stopped by what watches it
            mishap(f"reporting ({report.__name__})")

    return reported


class Reporter:
    """A supervised task, seen from within the program."""

    def __init__(
        self, agent_id: str, task_name: str, *, attached: bool = False, **options: Unpack[TaskOptions]
    ) -> None:
        strange = sorted(set(options) - set(TaskOptions.__annotations__))
        if strange:
            raise TypeError(f"a task has no option {', '.join(strange)}")
        home = (fit.words(options.get(each), fit.NAME, each) for each in ("channel", "workspace", "app"))
        self._line: Line = line_of(known.current(*home))
        self._options = options
        self._attached = attached
        self._process = os.getpid()
        task_id = fit.name(options.get("task_id"), fit.NAME, "task_id") or os.urandom(16).hex()
        lease_id = fit.name(options.get("lease_id") or known.lease_of(task_id), fit.NAME, "lease_id")
        self._task = Task(task_id, fit.name(agent_id, fit.AGENT, "agent_id") or "agent", lease_id)
        self._task_name = fit.words(task_name, fit.ACTION, "task_name") or self._task.agent_id
        self._status = AgentStatus.STARTING
        self._last: Said | AgentCheckpoint | None = None
        self._started = attached
        self._ended: EndStatus | None = None
        self._heartbeat = fit.seconds(options.get("heartbeat", HEARTBEAT_S), "heartbeat", LONGEST_HEARTBEAT_S)
        if lease_id is not None:
            self._heartbeat = min(self._heartbeat or HEARTBEAT_S, HEARTBEAT_S)  # or another would soon have its task
        self._lost: Callable[[str], None] | None = None
        """Is told why, should anything of it not be taken."""
        self._orders = Orders(task_id, self._heartbeat or HEARTBEAT_S, lease_id)

    @property
    def task_id(self) -> str:
        """The task's name, everywhere."""
        return self._task.task_id

    @property
    def agent_id(self) -> str:
        """Whose task it is."""
        return self._task.agent_id

    @property
    def task_name(self) -> str:
        """What it is about."""
        return self._task_name

    @property
    def status(self) -> AgentStatus:
        """What the program said of it last."""
        return AgentStatus(self._ended) if self._ended else self._status

    @property
    def last(self) -> AgentCheckpoint | None:
        """The last checkpoint."""
        if isinstance(self._last, Said):
            self._last = self._last.fitted()
        return self._last

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants it to end."""
        return self._orders.cancel is not None

    @property
    def paused(self) -> bool:
        """Whether somebody wants it to wait."""
        return self._orders.paused

    @property
    def messages(self) -> tuple[AgentMessage, ...]:
        """What people wrote to it, the newest last."""
        return self._orders.messages

    def raise_if_cancelled(self) -> None:
        """Raises TaskCancelled where somebody wants it to end. It is the program that decides where it can."""
        if (cancel := self._orders.cancel) is not None:
            raise TaskCancelled(cancel.by, cancel.reason)

    def environment(self) -> dict[str, str]:
        """What a child process must be told so that it reports into this task: `env={**os.environ, **this}`."""
        return {
            **known.as_environment(self._line.settings),
            known.TASK: self.task_id,
            known.AGENT: self.agent_id,
            known.LEASE: self._task.lease_id or "",
        }

    def checkpoint(  # noqa: PLR0913 - each is something that can be said
        self,
        action: str,
        *,
        progress: float | None = None,
        step: str | None = None,
        tokens: int | None = None,
        cost: float | None = None,
        status: AgentStatus | str = AgentStatus.WORKING,
        **details: object,
    ) -> None:
        """How far it is. `cost` is in USD since the checkpoint before, `tokens` what the model sees now."""
        self._report(Said(action, "info", status, progress, step, tokens, cost, details))

    def warn(
        self,
        action: str,
        *,
        progress: float | None = None,
        step: str | None = None,
        tokens: int | None = None,
        cost: float | None = None,
        **details: object,
    ) -> None:
        """Something that people should look at; the task goes on."""
        self._report(Said(action, "warning", AgentStatus.WORKING, progress, step, tokens, cost, details))

    def error(
        self,
        action: str,
        *,
        progress: float | None = None,
        step: str | None = None,
        tokens: int | None = None,
        cost: float | None = None,
        **details: object,
    ) -> None:
        """Something went wrong. The task may go on: its next checkpoint says that it works again."""
        self._report(Said(action, "error", AgentStatus.ERROR, progress, step, tokens, cost, details))

    @harmless
    def add_artifact(self, kind: str, title: str, link: str | None = None) -> None:
        """Something that it made: a pull_request (or pr), a file, a deploy or a link."""
        known_kind = ARTIFACTS.get(fit.words(kind, fit.NAME, "kind") or "")
        if known_kind is None:
            warn_once("artifact", "an artifact is a pull_request, file, deploy or link; one is told as a link")
        says: dict[str, Json] = {
            "artifact": known_kind or "link",
            "title": fit.words(title, fit.ACTION, "title") or "(no title)",
            "link": fit.words(link, fit.SUMMARY, "link"),
        }
        self._put("task.artifact", says)

    def complete(self, summary: str | None = None) -> None:
        """It is done."""
        self._end("complete", summary)

    def fail(self, summary: str | None = None) -> None:
        """It did not work out."""
        self._end("error", summary)

    def cancel(self, summary: str | None = None) -> None:
        """It was given up."""
        self._end("cancelled", summary)

    @harmless
    def hand_over(self, to_agent_id: str, text: str) -> None:
        """Leaves what is left of it to another agent's workers. This program reports nothing more of it."""
        to = fit.name(to_agent_id, fit.AGENT, "to_agent_id") or "agent"
        if self._ended is None:
            self._put(
                "task.handed_over", {"to_agent_id": to, "text": fit.words(text, fit.SUMMARY, "text") or "(no words)"}
            )
            self._ended = "complete"
            self._line.release(self._orders)

    def trouble(self) -> str | None:
        """Why nothing of it reaches a supervisor now, where it is so."""
        return self._line.trouble()

    def is_only_logged(self) -> bool:
        """There is no supervisor to report to."""
        return self._line.address is None

    def tell_of_losses(self, lost: Callable[[str], None]) -> None:
        """From now on it is called with the reason where the supervisor does not take something, in another thread."""
        self._lost = lost

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.agent_id} {self.task_id} {self.status.value}>"

    @harmless
    def _start(self, parent_task_id: str | None) -> None:
        """Once, before anything else."""
        self._begin(parent_task_id)

    def _begin(self, parent_task_id: str | None) -> None:
        options = self._options
        if not self._started:
            self._started = True
            given = options.get("parent_task_id")
            parent = given if given is not None else parent_task_id
            says: dict[str, Json] = {
                "task_name": self._task_name,
                "repo_scope": fit.words(options.get("repo_scope"), fit.ACTION, "repo_scope"),
                "context_size": max(fit.tokens(options.get("context_size")) or CONTEXT_SIZE, 1),
                "parent_task_id": fit.name(parent, fit.NAME, "parent_task_id"),
                "started_by": fit.words(options.get("started_by"), fit.NAME, "started_by"),
                "worker": f"{machine()}:{self._process}",
                "heartbeat_s": self._heartbeat,
            }
            self._line.put(Event("task.started", self._task, says, lost=self._lost))
        if self._heartbeat is not None:
            self._line.attend(self._orders)

    def _report(self, said: Said) -> None:
        try:
            if said.details and not fit.are_plain(said.details):
                said = said._replace(details=fit.details(said.details))
            checkpoint = said if said.is_plain() else said.fitted()
            status = checkpoint.status if isinstance(checkpoint.status, AgentStatus) else AgentStatus.WORKING
            changed = checkpoint.level != "info" or status is not self._status
            self._status = status
            self._last = checkpoint
            self._put("task.checkpoint", checkpoint, important=changed)
        except Exception:  # noqa: BLE001 - an agent is never stopped by what watches it
            mishap("reporting a checkpoint")

    def _put(self, kind: Kind, says: Says, *, important: bool = True) -> bool:
        if self._ended is not None:
            warn_once("ended", "%s reports something after its task's end; it is left out", self.agent_id)
            return False
        if not self._started:
            self._begin(None)
        return self._line.put(Event(kind, self._task, says, important=important, lost=self._lost))

    @harmless
    def _end(self, status: EndStatus, summary: str | None) -> None:
        if self._ended is not None:
            return
        self._put("task.ended", {"status": status, "summary": fit.words(summary, fit.SUMMARY, "summary")})
        self._ended = status
        self._line.release(self._orders)

    def _leave(self, error: BaseException | None) -> None:
        """The block that the task is, is over. A forked child, and who only reports into a task, do not end it."""
        if self._attached or self._process != os.getpid():
            if isinstance(error, Exception) and self._ended is None:
                self.error(told(error))
            self._line.release(self._orders)
            return
        status, summary = _end_of(error)
        self._end(status, summary)

    def _inquire(self, question: Question) -> Inquiry | Approval:
        """Puts a question; its end at once where it cannot be put."""
        if self.is_only_logged():
            why = self._line.trouble() or "there is no supervisor"
            warn_once("approval", "%s asks for an approval and nobody can be asked: %s", self.agent_id, why)
            return question.ended(Outcome.UNAVAILABLE, why)
        inquiry = Inquiry(question)
        if self._ended is not None:
            return question.ended(Outcome.UNAVAILABLE, "the task is over")
        if not self._started:
            self._begin(None)
        self._line.put(Event("approval.requested", self._task, question.as_fields(), lost=inquiry.lose))
        return inquiry


def told(error: BaseException) -> str:
    """An error in a line: its type and the first line of its message."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # noqa: BLE001 - an error of somebody else may not even say what it is
        lines = []
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _end_of(error: BaseException | None) -> tuple[EndStatus, str | None]:
    """How a task ended, by what came out of its block."""
    if error is None:
        return "complete", None
    if isinstance(error, SystemExit):
        good = error.code is None or error.code == 0
        return ("complete", None) if good else ("error", told(error))
    if isinstance(error, TaskCancelled):
        return "cancelled", str(error)
    if isinstance(error, Exception):
        return "error", told(error)
    return "cancelled", told(error)  # Ctrl-C, asyncio.CancelledError, and the like of other event loops


def machine() -> str:
    """The one that it runs on."""
    return os.uname().nodename if hasattr(os, "uname") else sys.platform


def asked(question: object, timeout: object) -> Question:
    """A question in plain words. One that is too long is shown in full among its arguments."""
    action = fit.words(question, fit.ACTION, "question") or "?"
    whole = fit.words(question, fit.SUMMARY, "question") or "?"
    arguments: dict[str, Json] = {} if whole == action else {"question": whole}
    return Question("question", action, arguments, timeout=fit.seconds(timeout, "timeout", LONGEST_S) or HOUR_S)
