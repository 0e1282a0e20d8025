"""What time alone brings: approvals that nobody decided, runs that wait in vain, and agents that fell silent."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

import asyncpg

from schemas.agent import AgentStatus
from services.directory.faults import DatabaseAway, told
from services.kit.turns import in_turns
from services.supervisor import metrics
from services.supervisor.adapters.comparing import Comparing
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.partitions import Partition
from services.supervisor.adapters.sending import send_all
from services.supervisor.decisions import deciding, judging, runs
from services.supervisor.decisions.following import Following, of_task
from services.supervisor.decisions.health import UNWELL, health_of
from services.supervisor.decisions.looks import LOOKS
from services.supervisor.decisions.projecting import Key, apart
from services.supervisor.decisions.task import Task

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
STOOD_STILL_S: Final = 3.0
FOLDED_WITHIN_S: Final = 30.0
_HEARD: Final = "select * from threadline.alive_tasks($1, $2)"


class Watching:
    """Looks at every task in hand, each second."""

    def __init__(self, given: Given, partitions: Callable[[], Sequence[Partition]]) -> None:
        self._partitions, self._database, self._producer = partitions, given.database, given.producer
        self._clock, self._emitter = given.instruments.clock, given.instruments.emitter
        self._comparing = Comparing(given)
        self._since = self._clock.now()
        """From when on signs of life are heard without a gap."""
        self._sent: dict[str, float] = {}
        """What was written lately, and until when it is not written again."""

    async def run(self) -> None:
        """Until it is cancelled."""
        looked_at = self._clock.now()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            before, looked_at = looked_at, self._clock.now()
            if (looked_at - before).total_seconds() > STOOD_STILL_S:
                self._since = looked_at  # nobody could say that they live while this process stood still
            try:
                with told():
                    await self._look()
            except (DatabaseAway, asyncpg.PostgresError) as error:
                log.warning(
                    "signs of life cannot be read (%s): nobody is taken for silent meanwhile", type(error).__name__
                )
                self._since = self._clock.now()

    async def _look(self) -> None:
        now = self._clock.now()
        tasks = [task for each in self._partitions() for task in each.tasks if not task.is_over]
        await self._show(tasks, now)
        heard = await self._heard([each for each in tasks if each.heartbeat_s is not None])
        follows = [each async for task in in_turns(tasks) for each in self._follow(task, heard, now)]
        follows += await self._comparing.follow(tasks, now)
        await send_all(self._producer, self._new(follows))

    def _new(self, follows: Sequence[Following]) -> list[Following]:
        """Without what was said a moment ago, and is not folded yet."""
        now = self._clock.monotonic()
        self._sent = {name: until for name, until in self._sent.items() if until > now}
        new = [each for each in follows if each.id not in self._sent]
        self._sent |= {each.id: now + FOLDED_WITHIN_S for each in new}
        return new

    def _follow(self, task: Task, heard: dict[Key, datetime], now: datetime) -> Iterator[Following]:
        for approval in task.approvals:
            if approval.is_open and now >= approval.expires_at:
                yield of_task(task, deciding.expired(task, approval, now), f"expired:{approval.approval_id}")
        waited = runs.waited_out(task, now)
        if waited is not None:
            yield of_task(task, waited, f"waited_out:{waited.round}")
        at = max(task.received_at, heard.get((task.tenant_id, task.task_id), task.received_at))
        listening = at if task.silent_since is not None else max(at, self._since)
        judged = judging.of_silence(task, listening, now)
        if judged is not None:
            yield of_task(task, judged, f"{judged.judgement}:{task.version}")

    async def _heard(self, tasks: Sequence[Task]) -> dict[Key, datetime]:
        if not tasks:
            return {}
        keys = [(each.tenant_id, each.task_id) for each in tasks]
        async with self._database.for_nobody() as connection:
            rows = await connection.fetch(_HEARD, *apart(keys))
        return {(row["tenant_id"], row["task_id"]): row["at"] for row in rows}

    async def _show(self, tasks: Sequence[Task], now: datetime) -> None:
        count: dict[AgentStatus, int] = dict.fromkeys(LOOKS, 0)
        for each in tasks:
            count[each.status] += 1
        for status, number in count.items():
            self._emitter.set(metrics.TASKS, number, status=status)
        scores = [health_of(each, now).score async for each in in_turns(tasks)]
        self._emitter.set(metrics.UNWELL, sum(score < UNWELL for score in scores))
        waiting = [each for task in tasks for each in task.approvals if each.is_open]
        self._emitter.set(metrics.APPROVALS_OPEN, len(waiting))
        oldest = max(((now - each.asked_at).total_seconds() for each in waiting), default=0)
        self._emitter.set(metrics.OLDEST_APPROVAL, oldest)
