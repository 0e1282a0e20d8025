"""Says in Slack what is to be said of tasks: what changed first, no faster than Slack takes it, nothing twice."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
from aiokafka.errors import MessageSizeTooLargeError

from schemas import ids
from schemas.command import OutboundMessage
from schemas.effect import LedgerEntry
from schemas.record import CannotWrite
from schemas.topics import RUNS_COMMANDS
from services.directory.faults import DatabaseAway, told
from services.kit.turns import in_turns
from services.supervisor import metrics
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.partitions import Partition
from services.supervisor.adapters.sending import send_all
from services.supervisor.decisions.answers import Answers
from services.supervisor.decisions.blocks import as_json
from services.supervisor.decisions.following import Following
from services.supervisor.decisions.posts import Post, posts_of
from services.supervisor.decisions.projecting import Key, apart
from services.supervisor.decisions.rooms import Rooms
from services.supervisor.decisions.task import Task
from services.supervisor.decisions.telling import Due, Rhythm, Told, due, still_due

log = logging.getLogger(__name__)

LOOK_EVERY_S, REST_S = 1.0, 0.1
"""It looks when something changed, with a rest between two looks, and now and then without that."""
AT_ONCE: Final = 2
"""A post takes some half a millisecond to make."""
FROM: Final = "supervisor"
"""Stands where others name their token."""

_TOLD: Final = "select * from threadline.told_tasks($1, $2)"
_KEEP: Final = "select threadline.write_agent_tellings($1)"


@dataclass
class _Spoken:
    """What was said of the tasks of one partition."""

    partition: Partition
    told: dict[Key, dict[str, Told]] = field(default_factory=dict)
    waiting: dict[Key, list[Due]] = field(default_factory=dict)
    weighed: dict[Key, Task] = field(default_factory=dict)
    """Each task as it was when it was last seen what is to be said of it."""

    def forget(self, key: Key) -> None:
        """Lets go of a task."""
        for known in (self.told, self.waiting, self.weighed):
            known.pop(key, None)

    def only_goes_on(self, key: Key, task: Task) -> bool:
        """Whether its own post waits to be said anyway, as the task is then, and there are no others than before."""
        seen = self.weighed.get(key)
        if seen is None or not any(each.post.status is not None for each in self.waiting.get(key, ())):
            return False
        same = task.approvals is seen.approvals and task.judgements is seen.judgements and task.orders is seen.orders
        return same and task.status == seen.status and task.life == seen.life


@dataclass(frozen=True)
class _Made:
    """One post, what is told from now on, and the command that says it."""

    post: Post
    spoken: _Spoken
    key: Key
    told: Told
    message: Following


class Telling:
    """Looks at what changed, and at what only went on, and hands it to the responder."""

    def __init__(self, given: Given, partitions: Callable[[], Sequence[Partition]]) -> None:
        self._partitions, self._database, self._producer = partitions, given.database, given.producer
        self._clock, self._emitter = given.instruments.clock, given.instruments.emitter
        settings = given.settings
        self._rhythm = Rhythm(
            timedelta(seconds=settings.supervisor_update_s), timedelta(seconds=settings.supervisor_refused_again_s)
        )
        self._answers = Answers()
        self._spoken: dict[int, _Spoken] = {}
        self._rooms = Rooms(self._clock.monotonic())
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something changed."""
        self._woken.set()

    def heard(self, entry: LedgerEntry) -> None:
        """The responder says what became of something."""
        key = self._answers.take(entry)
        for spoken in self._spoken.values():
            if key is not None and key in spoken.told:
                spoken.partition.changed.add(key)
                self._woken.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            try:
                with told():
                    await self._look()
            except (DatabaseAway, asyncpg.PostgresError) as error:
                log.warning(
                    "what was said of tasks cannot be read or kept (%s); it is tried again", type(error).__name__
                )
                self._spoken.clear()
                await asyncio.sleep(LOOK_EVERY_S)
            await asyncio.sleep(REST_S)

    async def _look(self) -> None:
        now = self._clock.now()
        ours = self._partitions()
        self._spoken = {
            each.number: known
            for each in ours
            if (known := self._spoken.get(each.number)) is not None and known.partition is each
        }
        for partition in ours:
            spoken = self._spoken.get(partition.number)
            if spoken is None:
                spoken = self._spoken[partition.number] = await self._recall(partition)
            await self._consider(spoken, now)
        await self._say_what_is_due(now)

    async def _recall(self, partition: Partition) -> _Spoken:
        """What was said, by whoever had the partition before."""
        spoken = _Spoken(partition)
        partition.changed |= partition.projection.tasks.keys()
        await self._recall_of(spoken, partition.changed)
        return spoken

    async def _recall_of(self, spoken: _Spoken, keys: Iterable[Key]) -> None:
        new = [key for key in keys if key not in spoken.told]
        if not new:
            return
        async with self._database.for_nobody() as connection:
            rows = await connection.fetch(_TOLD, *apart(new))
        found = {(row["tenant_id"], row["task_id"]): row["posts"] for row in rows}
        spoken.told |= {key: _told_of(found.get(key, "{}")) for key in new}

    async def _consider(self, spoken: _Spoken, now: datetime) -> None:
        keys, spoken.partition.changed = spoken.partition.changed, set()
        await self._recall_of(spoken, keys)
        settled = [key for key in keys if self._settled(spoken, key)]
        async for key in in_turns(keys):
            self._weigh(spoken, key, now)
        if settled:
            await self._keep((spoken, key) for key in settled if key in spoken.told)
        for key in spoken.told.keys() - spoken.partition.projection.tasks.keys():
            spoken.forget(key)

    def _settled(self, spoken: _Spoken, key: Key) -> bool:
        """Whether more is known now of what became of what was said of a task."""
        told = spoken.told.setdefault(key, {})
        before = dict(told)
        for name, error in self._answers.settle(key, told).items():
            log.warning(
                "Slack does not take %s of %s (%s): it is said again, each time after a longer pause, while its task "
                "goes on. The responder's log says what mends it",
                *(name, key[1], error),
            )
        if told == before:
            return False
        spoken.weighed.pop(key, None)
        return True

    def _weigh(self, spoken: _Spoken, key: Key, now: datetime) -> None:
        task = spoken.partition.task(key)
        if task is None:
            spoken.forget(key)
            return
        if spoken.only_goes_on(key, task):
            return
        spoken.weighed[key] = task
        before, stands = spoken.waiting.get(key, ()), spoken.told.setdefault(key, {})
        since, posts = min((each.at for each in before), default=now), list(posts_of(task))
        found = due(posts, stands, min(since, now), self._rhythm) + still_due(before, posts, stands)
        if found:
            spoken.waiting[key] = found
        else:
            spoken.waiting.pop(key, None)

    async def _say_what_is_due(self, now: datetime) -> None:
        """The most urgent first, in each channel and workspace as many as it takes."""
        wanted = [
            (each, spoken, key)
            for spoken in self._spoken.values()
            for key, dues in spoken.waiting.items()
            for each in dues
            if each.at <= now
        ]
        wanted.sort(key=lambda found: (found[0].urgency, found[0].at))
        said: list[tuple[Due, _Spoken, Key]] = []
        left: list[tuple[Due, _Spoken, Key]] = []
        for found in wanted:
            (said if self._has_room(*found) else left).append(found)
        waits = [each.at for each, _, _ in left] + self._refused_at()
        self._emitter.set(metrics.UNTOLD, len(waits))
        self._emitter.set(metrics.UNTOLD_SECONDS, max(((now - each).total_seconds() for each in waits), default=0))
        if not said:
            return
        made = [one async for each in in_turns(said, AT_ONCE) if (one := _made(*each, now)) is not None]
        ours = self._partitions()
        made = [each for each in made if any(each.spoken.partition is one for one in ours)]  # others may have it by now
        if not made:
            return
        await asyncio.gather(*(self._hand_over(each.message) for each in made))
        for each in made:
            each.spoken.told[each.key][each.post.name] = each.told
            each.spoken.weighed.pop(each.key, None)
        of_tasks = {(id(each.spoken), each.key): (each.spoken, each.key) for each in made}.values()
        for spoken, key in of_tasks:
            self._settled(spoken, key)  # Slack may have answered meanwhile
        await self._keep(of_tasks)
        async for spoken, key in in_turns(of_tasks, AT_ONCE):
            self._weigh(spoken, key, now)
        self._woken.set()  # a thread's first message may let others follow

    def _refused_at(self) -> list[datetime]:
        """Since when each waits that Slack did not take."""
        waiting = [
            spoken.told[key].get(each.post.name)
            for spoken in self._spoken.values()
            for key, dues in spoken.waiting.items()
            for each in dues
        ]
        return [said.refused_at for said in waiting if said is not None and said.refused_at is not None]

    async def _hand_over(self, message: Following) -> None:
        """What cannot be said takes nobody else with it, and is not tried again until it says something else."""
        try:
            await send_all(self._producer, [message])
        except (CannotWrite, MessageSizeTooLargeError) as error:
            log.error("a message of a task cannot be said (%s, %s)", message.id, type(error).__name__)  # noqa: TRY400 - the words say it
        else:
            self._emitter.count(metrics.TOLD)

    def _has_room(self, due: Due, spoken: _Spoken, key: Key) -> bool:
        task = spoken.partition.task(key)
        if task is None:
            return False
        said = spoken.told[key].get(due.post.name)
        is_new = said is None or said.refusals > 0
        place = task.home.connection, task.home.channel if is_new else None
        return self._rooms.take(place, due.urgency, self._clock.monotonic())

    async def _keep(self, said: Iterable[tuple[_Spoken, Key]]) -> None:
        rows = [(*key, _as_row(spoken.told[key])) for spoken, key in said]
        try:
            gone = await self._write(rows)
        except asyncpg.ForeignKeyViolationError:  # a tenant went at this moment: now it is gone
            gone = await self._write(rows)
        for tenant_id in gone:
            log.warning("the tenant %s is gone from the directory: nothing more is said of its agents", tenant_id)

    async def _write(self, rows: Sequence[tuple[str, str, str]]) -> list[str]:
        """Gives the tenants that are gone."""
        async with self._database.for_nobody() as connection:
            return [row[0] for row in await connection.fetch(_KEEP, rows)]


def _made(due: Due, spoken: _Spoken, key: Key, now: datetime) -> _Made | None:
    """The post as the task is now: it may have gone on since it was weighed. None where it was let go meanwhile."""
    task = spoken.partition.task(key)
    if task is None:
        return None
    post = next((each for each in posts_of(task) if each.name == due.post.name), due.post)
    before = spoken.told[key].get(post.name)
    refusals, refused_at = (before.refusals, before.refused_at) if before is not None else (0, None)
    if before is not None and before.refusals and before.digest == post.digest:
        refusals += 1  # as if it were refused again: where nobody hears that it stands, it is tried again
    message = _message(task, post, now, refusals)
    told = Told(post.digest, now, post.standing, message.id, refusals, refused_at)
    return _Made(post, spoken, key, told, message)


def _message(task: Task, post: Post, now: datetime, refusals: int) -> Following:
    """The command that says it. The same has the same name; what the task came to meanwhile has another, and a try."""
    home = task.home
    key = f"{post.name}@{task.version}.{post.digest}" + (f".{refusals}" if refusals else "")
    name = ids.message_id(home.connection, key)
    message = OutboundMessage(
        at=now,
        effect_id=ids.effect_id(name, "message", 0),
        request_key=key,
        tenant_id=task.tenant_id,
        connection=home.connection,
        team_id=home.team_id,
        channel_id=home.channel,
        thread_ts=home.thread_ts,
        thread_of=post.thread_of,
        post_id=post.name,
        token_id=FROM,
        text=post.text,
        blocks_json=as_json(post.blocks),
        color=post.color,
    )
    return Following(
        RUNS_COMMANDS,
        ids.thread_key(home.team_id, home.channel, home.thread_ts or post.thread_of or post.name),
        message,
        name,
    )


def _told_of(posts: str) -> dict[str, Told]:
    return {name: _as_told(*row) for name, row in json.loads(posts).items()}


def _as_told(digest: str, at: str, standing: str | None, message: str = "", *refused: Any) -> Told:
    refusals, since = (refused[0], datetime.fromisoformat(refused[1])) if refused else (0, None)
    return Told(digest, datetime.fromisoformat(at), standing, message, refusals, since)


def _as_row(posts: dict[str, Told]) -> str:
    rows: dict[str, tuple[Any, ...]] = {}
    for name, each in posts.items():
        said = (each.digest, each.at.isoformat(), each.standing, each.message)
        refused = (each.refusals, each.refused_at.isoformat()) if each.refused_at is not None else ()
        rows[name] = (*said, *refused)
    return json.dumps(rows)
