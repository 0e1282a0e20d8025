"""Asks a responder as the router does: commands and stops on their topics, each in a thread of its own."""

from bench.beds.traffic import APP
from schemas import ids
from schemas.command import Place, RunRequested
from schemas.message import Channel, Message, Sender
from schemas.stop import StopRequested, StopRun
from schemas.topics import RUNS_COMMANDS, RUNS_STOPS
from services.kit.clock import SystemClock
from services.kit.kafka.producer import Producer

WORKSPACES = 200


class Commanding:
    """Writes commands as the router does."""

    def __init__(self, producer: Producer, clock: SystemClock) -> None:
        self._producer, self._clock = producer, clock
        self.number = 0

    async def one(self, tenant: int | None = None) -> int:
        """One run, in a thread of its own. Gives its number when the command is durable."""
        self.number += 1
        number, now = self.number, self._clock.now()
        owner = number % WORKSPACES if tenant is None else tenant
        workspace = f"T{owner}"
        channel, thread = f"C{number % 50}", f"run-{number}"
        place = Place(
            tenant_id=f"tenant-{owner}",
            connection=f"{APP}:{workspace}",
            team_id=workspace,
            channel_id=channel,
            thread_ts=thread,
        )
        message = Message(
            id=thread,
            tenant_id=place.tenant_id,
            channel=Channel(id=channel, kind="channel"),
            sender=Sender(id="U1"),
            content=f"run-{number}: what is up?",
            timestamp=now,
        )
        request = RunRequested(
            at=now,
            run_id=self.run_id(number),
            cause=thread,
            event_id=thread,
            place=place,
            trigger="mention",
            agent_id="mara",
            message=message,
            directory_revision=1,
            received_at=now,
        )
        key = ids.thread_key(workspace, channel, thread)
        await self._producer.publish(RUNS_COMMANDS, key, request, f"command-{self.run_id(number)}")
        return number

    async def stop(self, number: int) -> None:
        """Somebody wants it to end."""
        run_id, connection = self.run_id(number), f"{APP}:T{number % WORKSPACES}"
        stop = StopRequested(
            at=self._clock.now(),
            stop_id=f"stop-{run_id}",
            cause=f"stop-{run_id}",
            tenant_id=f"tenant-{number % WORKSPACES}",
            connection=connection,
            target=StopRun(run_id=run_id),
            source="button",
            asked_by="U1",
            may_stop_anyone=False,
            directory_revision=1,
        )
        await self._producer.publish(RUNS_STOPS, connection, stop, stop.stop_id)

    def run_id(self, number: int) -> str:
        """Its id."""
        return ids.run_id("bench", str(number))
