"""Tasks that people want, for workers that do them: each is given to one worker alone."""

import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from threadline_agent import fit
from threadline_agent import settings as known
from threadline_agent.address import Address
from threadline_agent.answer import Answer
from threadline_agent.line import line_of
from threadline_agent.notices import warn_once
from threadline_agent.pauses import spread
from threadline_agent.reporting import TaskOptions, machine
from threadline_agent.task import AgentTask, agent_task

if TYPE_CHECKING:
    from threadline_agent.exchange import Request

TAKE = "/v1/agents/tasks/take"
WAIT_S, ANSWER_S = 20.0, 15.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
OK = 200


@dataclass(frozen=True)
class Work:
    """A task that somebody wants, and that this worker has until it ends, hands it over or falls silent."""

    task_id: str
    agent_id: str
    task_name: str
    text: str
    """What is to be done, in the words of who wanted it."""
    wanted_by: str | None = None
    parent_task_id: str | None = None
    lease_id: str | None = None
    """By which this worker has it. What it reports counts only as long as no other has it."""

    def task(self, **options: Unpack[TaskOptions]) -> AgentTask:
        """The block in which it is done. The supervisor waits some seconds for it to begin."""
        options = {
            "task_id": self.task_id,
            "started_by": self.wanted_by,
            "parent_task_id": self.parent_task_id,
            "lease_id": self.lease_id,
            **options,
        }
        return agent_task(self.agent_id, self.task_name, **options)


class Worker:
    """Waits for work, one task after the other: `async for work in Worker("deployer")`, or `for` without a loop.

    Where the supervisor is away it goes on waiting. Where there is none, nothing comes, and the log says so.
    """

    def __init__(self, agent_id: str) -> None:
        self._agent_id = fit.name(agent_id, fit.AGENT, "agent_id") or "agent"
        self._line = line_of(known.current())
        self._settings = self._line.settings
        self._failures = 0

    def __aiter__(self) -> AsyncIterator[Work]:
        return self._works()

    def __iter__(self) -> Iterator[Work]:
        # Here and not at the import of the package: it takes as long as everything else together.
        from threadline_agent.exchange import Exchange, Unreachable  # noqa: PLC0415

        exchange = Exchange(self._line.address) if self._line.address is not None else None
        while True:
            work: Work | None = None
            pause = WAIT_S
            if exchange is not None and (request := self._request()) is not None:
                try:
                    work, pause = self._hear(exchange.ask(request, WAIT_S + ANSWER_S))
                except Unreachable as error:
                    pause = self._in_vain(str(error))
            if work is not None:
                yield work
            elif pause:
                time.sleep(pause)

    async def _works(self) -> AsyncIterator[Work]:
        import asyncio  # noqa: PLC0415 - whoever awaits this has imported it already; others never need it

        while True:
            work, pause = await self._next(self._line.address)
            if work is not None:
                yield work
            elif pause:
                await asyncio.sleep(pause)

    async def _next(self, address: Address | None) -> tuple[Work | None, float]:
        from threadline_agent.exchange import Unreachable, ask  # noqa: PLC0415 - likewise

        request = self._request()
        if address is None or request is None:
            return None, WAIT_S
        try:
            return self._hear(await ask(address, request, WAIT_S + ANSWER_S))
        except Unreachable as error:
            return None, self._in_vain(str(error))

    def _request(self) -> "Request | None":
        from threadline_agent.exchange import Request  # noqa: PLC0415 - likewise

        token = self._settings.secret()
        if token is None:
            return None
        asked: dict[str, Any] = {
            "agent_id": self._agent_id,
            "worker": f"{machine()}:{os.getpid()}"[: fit.NAME],
            "wait_s": WAIT_S,
            "workspace": self._settings.workspace,
            "app": self._settings.app,
        }
        said = {key: value for key, value in asked.items() if value is not None}
        return Request("POST", TAKE, token, json.dumps(said).encode("ascii"))

    def _hear(self, answer: Answer) -> tuple[Work | None, float]:
        """The work, or the seconds until it is asked again."""
        said = answer.said() if answer.status == OK else {}
        if "task" not in said:
            return None, self._in_vain(answer.message())
        self._failures = 0
        task = said["task"]
        return (work_of(task), 0.0) if isinstance(task, dict) else (None, 0.0)

    def _in_vain(self, why: str) -> float:
        warn_once("work", "no work can be asked for (%s); it is tried again", why)
        self._failures += 1
        return min(FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 10), LONGEST_PAUSE_S) * spread()


def work_of(task: dict[str, Any]) -> Work | None:
    """What the supervisor says of it."""
    try:
        return Work(
            task_id=str(task["task_id"]),
            agent_id=str(task["agent_id"]),
            task_name=str(task["task_name"]),
            text=str(task["text"] or ""),
            wanted_by=task.get("wanted_by"),
            parent_task_id=task.get("parent_task_id"),
            lease_id=task.get("lease_id"),
        )
    except (KeyError, TypeError):
        warn_once("work shape", "what the supervisor gives as work is none that this version knows; it is left out")
        return None
