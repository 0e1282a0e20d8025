"""Plays one scenario: people talk, the fault strikes, all becomes well again, and everything is held to account."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from bench.answers import told
from bench.beds.commits import Look, committed, looks
from bench.beds.decided import end_of, seen
from bench.chaos.facts import Facts, Watched, facts
from bench.chaos.faults import FAULTS
from bench.chaos.faults.kind import FaultKind, Struck
from bench.chaos.invariants import wrong
from bench.chaos.moments import come
from bench.chaos.people import People, sayings
from bench.chaos.progress import until_it_goes_on
from bench.chaos.scenario import Going, Scenario
from bench.chaos.stage import SERVICES, Ground, Stage, stage
from schemas.topics import AUDIT_DECISIONS, RUNS_COMMANDS, SLACK_EFFECTS, SLACK_INBOUND
from services.kit.clock import SystemClock
from services.kit.kafka.admin import admin_client
from services.slack_sim.client import NotInTime
from services.slack_sim.control.conditions import Settled, SomeSockets

SETTLED_WITHIN_S, DONE_WITHIN_S = 90.0, 90.0
TALK_AFTER_S = 2.5
"""How long people go on when all is well again."""
UNDER_WAY_S = 0.5
"""What comes of a moment before the strike may still come so long after it."""
LOOK_EVERY_S, STILL_S = 0.5, 1.5
BROKER_FAULTS = frozenset({"kafka", "everything"})


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    name: str
    seed: int
    missing: str = ""
    """Why it was not played."""
    wrong: Mapping[str, list[str]] = field(default_factory=dict)
    excused: Mapping[str, list[str]] = field(default_factory=dict)
    went_on: Mapping[str, int] = field(default_factory=dict)
    """How many acknowledgements, decisions and answers there were while it lasted."""
    stood_still: tuple[str, ...] = ()
    """What had to go on, and did not."""
    silent_s: Mapping[str, float] = field(default_factory=dict)
    """The longest time without one, from the strike until people had ended."""
    counts: Mapping[str, float] = field(default_factory=dict)
    lasted_s: float = 0.0
    took_s: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether everything was as it must be."""
        return not self.missing and not self.wrong and not self.stood_still

    def as_raw(self) -> dict[str, Any]:
        """To be kept."""
        return {**vars(self), "holds": self.holds}


@dataclass
class Times:
    """When it struck, when it was over, and when people had ended."""

    strike: float = 0.0
    over: float = 0.0
    ended: float = 0.0


async def play(ground: Ground, scenario: Scenario, seed: int, modules: Mapping[str, str] | None = None) -> Outcome:
    """All of it. What of the stage is to be read afterwards stays in its folder."""
    clock, chance, kind = SystemClock(), scenario.chance(seed), FAULTS[scenario.fault.fault]
    began, times = clock.monotonic(), Times()
    name = f"{scenario.place}-{abs(hash((scenario.name, seed, began))):x}"
    async with stage(ground, name, modules) as standing:
        struck = Struck(standing, scenario, chance)
        missing = kind.missing(struck)
        if missing is not None:
            return Outcome(scenario.name, seed, missing)
        kind.prepares(struck)
        people = People(standing.sim, standing.workspaces, standing.nobodys, sayings(chance))
        watched = await _all_of_it(struck, kind, people, times)
        found = await facts(standing, people.said, watched)
    return _judged(scenario, seed, found, times, clock.monotonic() - began)


async def _all_of_it(struck: Struck, kind: FaultKind, people: People, times: Times) -> Watched:
    standing, scenario = struck.stage, struck.scenario
    seen_commits: list[Look] = []
    async with _beside(standing.keep_up(), looks(standing.kafka, "responder", seen_commits)):
        late = scenario.moment == "starting"
        await _start(standing, scenario, but=_starts_late(scenario) if late else ())
        talking: asyncio.Task[None] | None = None
        if scenario.moment not in {"quiet", "starting"}:
            talking = asyncio.create_task(people.talk())
        if late:
            starting = asyncio.create_task(_start(standing, scenario, only=_starts_late(scenario)))
            await asyncio.sleep(0)
        await _or_fails(come(scenario.moment, standing, people, struck.chance), talking)
        times.strike = _now()
        async with kind.strikes(struck):
            talking = talking or asyncio.create_task(people.talk())
            if late:
                await starting
            await _or_fails(_until(times.strike + scenario.fault.lasts_s), talking)
            goes_on = until_it_goes_on(standing, scenario.fault.goes_on, times.strike + UNDER_WAY_S)
            await _or_fails(goes_on, talking)
        times.over = _now()
        await _or_fails(asyncio.sleep(TALK_AFTER_S), talking)
        people.that_is_enough()
        await talking
        times.ended = _now()
        left = await _until_all_is_done(standing)
        await asyncio.gather(*(worker.end(gently=True) for worker in standing.everybody))
    away = [(times.strike, times.over)] if scenario.place in BROKER_FAULTS or _cuts_broker(scenario) else []
    return Watched(seen_commits, away, left)


def _cuts_broker(scenario: Scenario) -> bool:
    """Whether a responder hears of no stop for a while."""
    return scenario.place == "responder" or scenario.fault.told.get("to") == "kafka"


def _starts_late(scenario: Scenario) -> tuple[str, ...]:
    """Who is started only when it strikes: the service that is struck, or all who need what is struck."""
    return (scenario.place,) if scenario.place in SERVICES else SERVICES


async def _start(standing: Stage, scenario: Scenario, but: Iterable[str] = (), only: Iterable[str] = SERVICES) -> None:
    """Those that are there from the beginning, ready for work."""
    for service in SERVICES:
        if service in but or service not in only:
            continue
        for number in range(scenario.fault.processes if service == scenario.place else 1):
            await standing.worker(service, number).start()
    if set(only) == set(SERVICES):
        await standing.until_ready()
    if "ingress" not in but and set(only) == set(SERVICES):
        await standing.sim.wait(SomeSockets(app_id=standing.workspaces.app, count=2), 30)


async def _until(at: float) -> None:
    await asyncio.sleep(max(0.0, at - _now()))


async def _or_fails(waiting: Any, talking: "asyncio.Task[None] | None") -> None:
    """What is waited for; but people who could not say what they wanted are heard at once."""
    waited = asyncio.ensure_future(waiting)
    await asyncio.wait({waited, *([talking] if talking is not None else [])}, return_when=asyncio.FIRST_COMPLETED)
    if talking is not None and talking.done() and not waited.done():
        waited.cancel()
        talking.result()
        raise RuntimeError("people ended before they were told to")
    await waited


@asynccontextmanager
async def _beside(*coroutines: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until_all_is_done(standing: Stage) -> int:
    """Until everything that was said is done with, or too long. Gives how much is not."""
    with suppress(NotInTime):
        await standing.sim.wait(Settled(), SETTLED_WITHIN_S)
    clock = SystemClock()
    until = clock.monotonic() + DONE_WITHIN_S
    still_since, before = clock.monotonic(), -1
    async with admin_client(standing.kafka) as client:
        while True:
            ends = Counter({each.partition: each.offset + 1 async for each in seen(standing.kafka, RUNS_COMMANDS)})
            commits = await committed(client, standing.kafka, "responder")
            undone = sum(max(0, end - commits.get(partition, 0)) for partition, end in ends.items())
            undecided = await end_of(standing.kafka, SLACK_INBOUND) - await _decided(standing)
            now, ledger = clock.monotonic(), await end_of(standing.kafka, SLACK_EFFECTS)
            if ledger != before:
                still_since, before = now, ledger
            left = undone + max(0, undecided)
            if (left == 0 and now - still_since >= STILL_S) or now > until:
                return left
            await asyncio.sleep(LOOK_EVERY_S)


async def _decided(standing: Stage) -> int:
    """Records of the log that were decided, or that an operator knows to be lost."""
    where = {
        (each["source_partition"], each["source_offset"])
        for each in [json.loads(each.value) async for each in seen(standing.kafka, AUDIT_DECISIONS)]
    }
    gone = {(each.partition, each.offset) for each in standing.gone.inbound}
    return len(where | gone)


def _judged(scenario: Scenario, seed: int, found: Facts, times: Times, took_s: float) -> Outcome:
    everything = wrong(found)
    excuses = scenario.fault.excuses
    kinds: tuple[Going, ...] = ("acks", "decisions", "answers")
    went_on: dict[str, int] = {
        what: _between(found.times(what), times.strike + UNDER_WAY_S, times.over) for what in kinds
    }
    begun = sorted(each.at for each in found.stands.asked)
    silent_s: dict[str, float] = {what: _longest_gap(found.times(what), times) for what in kinds} | {
        "answers begun": _longest_gap(begun, times)
    }
    return Outcome(
        name=scenario.name,
        seed=seed,
        wrong={name: each for name, each in everything.items() if name not in excuses},
        excused={name: each for name, each in everything.items() if name in excuses},
        went_on=went_on,
        stood_still=tuple(what for what in scenario.fault.goes_on if went_on[what] == 0),
        silent_s=silent_s,
        counts={**told(found.stands), "events": float(len(found.envelopes)), "said": float(len(found.said))},
        lasted_s=times.over - times.strike,
        took_s=took_s,
    )


def _between(found: list[float], begin: float, end: float) -> int:
    return sum(begin <= each <= end for each in found)


def _longest_gap(found: list[float], times: Times) -> float:
    """From the strike until people had ended."""
    marks = [times.strike, *(each for each in found if times.strike < each < times.ended), times.ended]
    return max(later - sooner for sooner, later in pairwise(marks))


def _now() -> float:
    return SystemClock().now().timestamp()
