"""A task of a program that blocks: a thread, a script, a child process."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, Unpack

from threadline_agent import current
from threadline_agent.approval import Approval, Inquiry, Outcome, Question
from threadline_agent.notices import mishap
from threadline_agent.reporting import Reporter, TaskOptions, asked
from threadline_agent.settings import AGENT, TASK, variable

ANSWER_S = 10.0


class SyncCheckpointEmitter(Reporter):
    """A supervised task whose waiting blocks the thread that waits.

    With a name it is a task of its own, which begins with `start`, `with`, or the first that it says. Without, it
    reports into the task of `task_id`, or into the one that the process was started for (THREADLINE_TASK_ID, as
    `environment` of the parent's task gives it): then leaving its block does not end that task.
    """

    def __init__(
        self, agent_id: str | None = None, task_name: str | None = None, **options: Unpack[TaskOptions]
    ) -> None:
        task_id = options.get("task_id")
        if task_id is None and task_name is None:
            task_id = options["task_id"] = variable(TASK)
        agent = agent_id if agent_id is not None else variable(AGENT) or "agent"
        name = task_name if task_name is not None else agent
        super().__init__(agent, name, attached=task_name is None and task_id is not None, **options)
        self._before: Reporter | None = None

    def start(self) -> Self:
        """Begins the task, now."""
        self._start(current.parent_of_new())
        return self

    def __enter__(self) -> Self:
        self.start()
        self._before = current.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        current.leave(self._before)
        self._leave(error)

    def request_approval(
        self,
        action: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        choices: Sequence[str] | None = None,
        timeout: float = 3600.0,
    ) -> Approval:
        """Asks people whether something may be done, and waits for their answer.

        Raises TypeError or ValueError where it cannot be asked as it is: arguments that are no JSON, too long a text.
        """
        return self._wait_for(Question.made(action, arguments, choices, timeout))

    def ask(self, question: str, *, timeout: float = 3600.0) -> Approval:
        """Asks people something, and waits. `answer` is what they wrote, or nothing where nobody did."""
        return self._wait_for(asked(question, timeout))

    def until_cancelled(self, timeout: float | None = None) -> bool:
        """Waits until somebody wants the task to end; says whether somebody does."""
        return self._wait_until(lambda: self.cancelled, timeout)

    def until_resumed(self, timeout: float | None = None) -> bool:
        """Waits while somebody wants the task to wait. A cancel ends that, too."""
        return self._wait_until(lambda: not self.paused or self.cancelled, timeout)

    def _wait_until(self, holds: Callable[[], bool], timeout: float | None) -> bool:
        changed = threading.Event()
        until = None if timeout is None else time.monotonic() + timeout
        stop = self._orders.listen(changed.set)
        try:
            while not holds():
                left = None if until is None else until - time.monotonic()
                if (left is not None and left <= 0) or not changed.wait(left):
                    return holds()
                changed.clear()
            return True
        finally:
            stop()

    def _wait_for(self, question: Question) -> Approval:
        inquiry = self._inquire(question)
        if isinstance(inquiry, Approval):
            return inquiry
        try:
            return self._poll(inquiry)
        except Exception:  # noqa: BLE001 - whatever it is, nobody said yes
            mishap("waiting for an approval")
            return question.ended(Outcome.UNAVAILABLE, "waiting for the answer failed")

    def _poll(self, inquiry: Inquiry) -> Approval:
        from threadline_agent.exchange import Exchange, Request, Unreachable  # noqa: PLC0415 - it takes its time

        address, settings = self._line.address, self._line.settings
        assert address is not None  # noqa: S101 - without one nothing is asked
        exchange = Exchange(address)
        stop = self._orders.listen(exchange.interrupt)
        try:
            while (end := inquiry.over()) is None:
                if self.cancelled:
                    return inquiry.question.ended(Outcome.CANCELLED, "the task was cancelled")
                path, wait = inquiry.path()
                try:
                    heard = inquiry.hear(exchange.ask(Request("GET", path, settings.secret() or ""), wait + ANSWER_S))
                except Unreachable:
                    heard = inquiry.pause()
                if isinstance(heard, Approval):
                    return heard
                self._wait_until(lambda: self.cancelled, heard)
            return end
        finally:
            stop()
            exchange.close()
