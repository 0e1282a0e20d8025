"""Asks as people and routers do: says it in a local Slack, and writes the commands and stops that it leads to."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.beds.workspaces import Workspace, Workspaces
from schemas import ids
from schemas.command import EmojiRequested, Notice, OutboundMessage, Place, RetryAsked, RunRequested
from schemas.message import Channel, Message, Sender
from schemas.stop import StopMessage, StopRequested, StopRun, StopTarget, StopThread
from schemas.topics import RUNS_COMMANDS, RUNS_STOPS
from services.kit.clock import SystemClock
from services.kit.kafka.producer import Producer
from services.slack_sim.client import SlackSim

THREADS = 8
"""In each workspace."""
RETRY, REPEATED, STOPPED, CHORE = 0.07, 0.1, 0.1, 0.1
"""Shares of the runs: asked again by a click, written twice, stopped, followed by a command that is no run."""
STOPPED_TWICE = 0.4
EMOJI = "hourglass_flowing_sand"


@dataclass(frozen=True)
class Wish:
    """One run that somebody will want, and what else happens about it."""

    number: int
    workspace: int
    thread: int
    person: int
    is_retry: bool
    repeated_after_s: float | None
    stopped_after_s: tuple[float, ...]
    """Before the command where it is less than nothing."""
    stopped_by: str
    chore: str | None


def wishes(seed: int, count: int, workspaces: int) -> Iterator[Wish]:
    """The same for each seed. Workspaces take turns."""
    chance = random.Random(seed)  # noqa: S311 - a seeded plan
    for number in range(count):
        stopped: tuple[float, ...] = ()
        if chance.random() < STOPPED:
            stopped = tuple(chance.uniform(-1, 7) for _ in range(1 + (chance.random() < STOPPED_TWICE)))
        yield Wish(
            number=number,
            workspace=number % workspaces,
            thread=chance.randrange(THREADS),
            person=chance.randrange(3),
            is_retry=chance.random() < RETRY,
            repeated_after_s=chance.uniform(0, 20) if chance.random() < REPEATED else None,
            stopped_after_s=stopped,
            stopped_by=chance.choice(["run", "run", "message", "thread"]),
            chore=chance.choice(["notice", "emoji", "message"]) if chance.random() < CHORE else None,
        )


@dataclass
class Thread:
    """One thread, as far as it has come."""

    place: Place
    runs: list[RunRequested] = field(default_factory=list)


@dataclass
class Asking:
    """Fulfils wishes."""

    sim: SlackSim
    workspaces: Workspaces
    producer: Producer
    clock: SystemClock = field(default_factory=SystemClock)
    threads: dict[tuple[int, int], Thread] = field(default_factory=dict)

    async def all_of(self, wanted: Iterator[Wish], pause_s: float) -> None:
        """One after the other. What follows later is written beside it."""
        async with asyncio.TaskGroup() as later:
            for wish in wanted:
                command = await self._command(wish)
                name = f"command-{command.run_id}"
                for number, after_s in enumerate(wish.stopped_after_s):
                    stop = self._stop(wish, command, number)
                    later.create_task(self._tell_to_stop(stop, max(0.0, after_s)))
                if any(after_s < 0 for after_s in wish.stopped_after_s):
                    await asyncio.sleep(pause_s)
                await self._put(command, name)
                if wish.repeated_after_s is not None:
                    later.create_task(self._repeat(command, name, wish.repeated_after_s))
                if wish.chore is not None:
                    await self._put_chore(wish, command)
                await asyncio.sleep(pause_s)

    async def _command(self, wish: Wish) -> RunRequested | RetryAsked:
        thread = self.threads.get((wish.workspace, wish.thread))
        if wish.is_retry and thread is not None:
            return self._retry(wish, thread)
        return await self._request(wish, thread)

    async def _request(self, wish: Wish, thread: Thread | None) -> RunRequested:
        workspace = self.workspaces.every[wish.workspace]
        person = workspace.people[wish.person]
        channel = workspace.channels[wish.thread % len(workspace.channels)]
        root = thread.place.thread_ts if thread is not None else None
        text = f"<@{workspace.bot_user}> run-{wish.number}: what is up?"
        ts = await self.sim.say(person, channel, text, root)
        if thread is None:
            thread = Thread(self._place(workspace, channel, ts))
            self.threads[wish.workspace, wish.thread] = thread
        now = self.clock.now()
        request = RunRequested(
            at=now,
            run_id=ids.run_id(thread.place.connection, f"{channel}:{ts}"),
            cause=f"{channel}:{ts}",
            event_id=f"Ev{wish.number}",
            place=thread.place,
            trigger="mention",
            agent_id="mara",
            message=Message(
                id=ts,
                tenant_id=workspace.tenant_id,
                channel=Channel(id=channel, kind="channel"),
                sender=Sender(id=person),
                content=text,
                timestamp=now,
                thread=root,
            ),
            directory_revision=1,
            received_at=now,
        )
        thread.runs.append(request)
        return request

    def _place(self, workspace: Workspace, channel: str, ts: str) -> Place:
        return Place(
            tenant_id=workspace.tenant_id,
            connection=f"{self.workspaces.app}:{workspace.team}",
            team_id=workspace.team,
            channel_id=channel,
            thread_ts=ts,
        )

    def _retry(self, wish: Wish, thread: Thread) -> RetryAsked:
        cause, now = f"click-{wish.number}", self.clock.now()
        return RetryAsked(
            at=now,
            cause=cause,
            place=thread.place,
            run_id=ids.run_id(thread.place.connection, cause),
            retry_of=thread.runs[-1].run_id,
            user_id=self.workspaces.every[wish.workspace].people[wish.person],
            directory_revision=1,
            received_at=now,
        )

    def _stop(self, wish: Wish, command: RunRequested | RetryAsked, number: int) -> StopRequested:
        """By who asked. One of a thread ends everything in it that was asked for before."""
        place, asked_by = command.place, self.workspaces.every[wish.workspace].people[wish.person]
        name = f"stop-{wish.number}-{number}"
        return StopRequested(
            at=self.clock.now(),
            stop_id=name,
            cause=name,
            tenant_id=place.tenant_id,
            connection=place.connection,
            target=_target(wish, command),
            source="button",
            asked_by=asked_by,
            may_stop_anyone=wish.stopped_by == "thread",
            directory_revision=1,
        )

    async def _tell_to_stop(self, stop: StopRequested, after_s: float) -> None:
        await asyncio.sleep(after_s)
        told = stop.model_copy(update={"at": self.clock.now()})
        await self.producer.publish(RUNS_STOPS, stop.connection, told, stop.stop_id)

    async def _put(
        self, command: RunRequested | RetryAsked | Notice | EmojiRequested | OutboundMessage, name: str
    ) -> None:
        key = ids.thread_key(*_where(command))
        await self.producer.publish(RUNS_COMMANDS, key, command, name)

    async def _repeat(self, command: RunRequested | RetryAsked, name: str, after_s: float) -> None:
        """As a router does that was killed behind it."""
        await asyncio.sleep(after_s)
        await self._put(command, name)

    async def _put_chore(self, wish: Wish, command: RunRequested | RetryAsked) -> None:
        name, place, now = f"chore-{wish.number}", command.place, self.clock.now()
        person = self.workspaces.every[wish.workspace].people[wish.person]
        match wish.chore:
            case "notice":
                chore: Notice | EmojiRequested | OutboundMessage = Notice(
                    at=now, notice_id=name, cause=name, place=place, user_id=person, notice="throttled", text="Slowly."
                )
            case "emoji":
                chore = EmojiRequested(at=now, cause=name, place=place, message_ts=place.thread_ts or "", emoji=EMOJI)
            case _:
                told = place.model_dump()
                chore = OutboundMessage(at=now, effect_id=name, request_key=name, token_id="t", text=name, **told)  # noqa: S106 - it names a token, and is none
        await self._put(chore, name)


def _where(
    command: RunRequested | RetryAsked | Notice | EmojiRequested | OutboundMessage,
) -> tuple[str, str, str | None]:
    place = command if isinstance(command, OutboundMessage) else command.place
    return place.team_id, place.channel_id or "", place.thread_ts


def _target(wish: Wish, command: RunRequested | RetryAsked) -> StopTarget:
    place = command.place
    match wish.stopped_by:
        case "message" if isinstance(command, RunRequested):
            return StopMessage(channel_id=place.channel_id or "", message_ts=command.message.id)
        case "thread":
            return StopThread(channel_id=place.channel_id or "", thread_ts=place.thread_ts or "")
        case _:
            return StopRun(run_id=command.run_id)
