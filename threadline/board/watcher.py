"""Gathers what the board shows: the supervisor's state, services' own pages, their logs, and the runs' topic."""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import aiohttp

from schemas.record import CannotRead
from schemas.run import RunState
from schemas.topics import AUDIT_RUNS
from services.ingress import metrics as ingress
from services.kit.clock import Clock
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.redaction import Redactor
from services.local import kafka, state
from services.local.home import Home
from services.local.page import Answer, asked
from services.local.stack import PARTS
from services.local.state import ProgramState
from services.local.supervisor import NAME
from services.responder import metrics as responder
from services.router import metrics as router
from services.supervisor import metrics as supervisor
from threadline.board import runs
from threadline.board.facts import Facts, Happened, Heading, Level, ServiceSeen
from threadline.board.log_lines import trouble_in
from threadline.board.measured import Pace, sums
from threadline.board.tail import Tail
from threadline.vitals import vitals_of

KEPT: Final = 50
READ_BACK: Final = timedelta(hours=1)
AGAIN_AFTER_S: Final = 1.0
PAGES_EVERY_S: Final = 2.0


@dataclass(frozen=True)
class Counted:
    """Which of its own metrics say what a service has yet to do, and what it has done."""

    lag: str
    done: str


COUNTED: Final[Mapping[str, Counted]] = {
    "router": Counted(router.LAG.name, f"{router.DECISIONS.name}_total"),
    "responder": Counted(responder.UNFINISHED.name, f"{responder.RUNS.name}_total"),
    "supervisor": Counted(supervisor.FOLD_LAG.name, f"{supervisor.EVENTS.name}_total"),
    "ingress": Counted(ingress.SPOOL_RECORDS.name, f"{ingress.RECEIVED.name}_total"),
}


@dataclass
class Pages:
    """What one service's pages said last."""

    pace: Pace = field(default_factory=Pace)
    lag: int | None = None
    unready: str | None = None
    asked_at: float = float("-inf")

    def hear(self, now: float, counted: Counted, metrics: Answer | None, health: Answer | None) -> None:
        """They say this now; none where a page did not answer."""
        self.lag, self.unready = None, None
        if metrics is not None:
            found = sums(metrics.text, (counted.lag, counted.done))
            self.lag = int(found[counted.lag]) if counted.lag in found else None
            self.pace.hear(now, found.get(counted.done, 0.0))
        if health is None:
            self.unready = "it does not answer"
        elif not health.is_ok:
            self.unready = health.reasons()


class Watcher:
    """Everything that is gathered, and where it is kept.

    What Kafka and Postgres warn of while they start is that they start: it is left out.
    """

    def __init__(self, home: Home, clock: Clock, heading: Callable[[], Heading]) -> None:
        self._home, self._clock, self._heading = home, clock, heading
        self._begun = clock.monotonic()
        self._runs = runs.NONE
        self._happened: deque[Happened] = deque(maxlen=KEPT)
        self._pages = {name: Pages() for name in COUNTED}
        self._tails: dict[str, Tail] = {}
        self._redact = Redactor()
        self._started: frozenset[str] = frozenset()
        """The programs that were ready when it was looked last."""

    def look_at_logs(self, names: "tuple[str, ...]") -> None:
        """From now on what is added to these programs' logs is read."""
        self._tails = {name: Tail.of(self._home.logs / f"{name}.log") for name in names}

    def hear(self, name: str, line: str) -> None:
        """The supervisor said something."""
        self._note(name, "news" if name == NAME or line.startswith("ready after") else "warning", line)

    async def facts(self, session: aiohttp.ClientSession) -> Facts:
        """Everything as it is now."""
        programs = self._programs()
        await asyncio.gather(*(self._ask(programs[name], session) for name in COUNTED if name in programs))
        for name, tail in self._tails.items():
            self._read(name, tail)
        self._started = frozenset(name for name, each in programs.items() if each.condition == "ready")
        return Facts(
            now=self._clock.now(),
            up_s=self._clock.monotonic() - self._begun,
            heading=self._heading(),
            services=tuple(self._seen(each) for each in programs.values() if each.process or each.address),
            runs=runs.newest(self._runs),
            happened=tuple(self._happened),
        )

    async def follow_runs(self) -> None:
        """Reads audit.runs for as long as it is let, beginning again where the broker was away."""
        # Imported when the first programs have been started: it takes as long as one of them does.
        from aiokafka.errors import KafkaError  # noqa: PLC0415

        while True:
            broker = self._programs().get(kafka.NAME)
            if broker is not None and broker.condition == "ready" and broker.address is not None:
                with contextlib.suppress(KafkaError, OSError, Fault):
                    await self._read_runs(kafka.settings_at(broker.address))
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _read_runs(self, settings: KafkaSettings) -> None:
        from services.kit.kafka.consumer import reader, record_of  # noqa: PLC0415 - likewise

        async with reader(settings, AUDIT_RUNS, self._clock.now() - READ_BACK) as consumer:
            async for raw in consumer:
                with contextlib.suppress(CannotRead):
                    _, event = record_of(raw, settings.topic_prefix).decode()
                    if isinstance(event, RunState):
                        self._runs = runs.fold(self._runs, event)

    def _programs(self) -> Mapping[str, ProgramState]:
        found = state.read(self._home)
        return found.programs if found is not None and found.supervisor.pid == os.getpid() else {}

    async def _ask(self, program: ProgramState, session: aiohttp.ClientSession) -> None:
        pages, now = self._pages[program.name], self._clock.monotonic()
        if now - pages.asked_at < PAGES_EVERY_S:
            return
        if program.condition != "ready" or program.address is None:
            pages.lag = pages.unready = None
            return
        pages.asked_at = now
        base = program.address.removesuffix("/health")
        metrics, health = await asyncio.gather(asked(session, f"{base}/metrics"), asked(session, f"{base}/health"))
        pages.hear(now, COUNTED[program.name], metrics, health)

    def _read(self, name: str, tail: Tail) -> None:
        for line in tail.lines():
            found = trouble_in(line)
            if found is not None and (name not in PARTS or name in self._started):
                self._note(name, *found)

    def _note(self, name: str, level: Level, what: str) -> None:
        self._happened.append(Happened(self._clock.now(), name, level, self._redact(what)))

    def _seen(self, program: ProgramState) -> ServiceSeen:
        pages, vitals = self._pages.get(program.name, Pages()), vitals_of(program, self._clock)
        return ServiceSeen(
            name=program.name,
            condition=program.condition,
            address=(program.address or "").removeprefix("chat at "),
            restarts=program.restarts,
            lag=pages.lag,
            a_minute=pages.pace.a_minute(),
            memory=vitals.memory if vitals is not None else None,
            up_s=vitals.up_s if vitals is not None else None,
            unready=pages.unready,
        )
