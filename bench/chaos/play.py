"""Plays one scenario: people talk, the fault strikes, all becomes well again, and everything is held to account."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping

from bench.beds.commits import Look, looks
from bench.chaos.facts import Watched, facts
from bench.chaos.faults import FAULTS
from bench.chaos.faults.kind import FaultKind, Struck
from bench.chaos.moments import come
from bench.chaos.outcome import UNDER_WAY_S, Outcome, Times, judged
from bench.chaos.people import People, sayings
from bench.chaos.progress import until_it_goes_on
from bench.chaos.scenario import Scenario
from bench.chaos.settling import until_all_is_done
from bench.chaos.stage import SERVICES, Ground, Stage, stage
from services.kit.clock import SystemClock

TALK_AFTER_S = 2.5
"""How long people go on when all is well again."""
NOBODY_TALKS_BEFORE = frozenset({"quiet", "starting"})
LONGEST_NAME = 120


async def nothing_more(_: Stage) -> None:
    """Whoever plays a scenario looks at nothing else."""


async def play(
    ground: Ground,
    scenario: Scenario,
    seed: int,
    modules: Mapping[str, str] | None = None,
    at_the_end: Callable[[Stage], Awaitable[None]] = nothing_more,
) -> Outcome:
    """All of it. What of the stage is to be read afterwards stays in its folder.

    `at_the_end` is given the stage when nothing happens on it any more.
    """
    clock, chance, kind = SystemClock(), scenario.chance(seed), FAULTS[scenario.fault.fault]
    began, times = clock.monotonic(), Times()
    async with stage(ground, _slug(scenario.name, *(modules or {}).values()), modules) as standing:
        struck = Struck(standing, scenario, chance)
        missing = kind.missing(struck)
        if missing is not None:
            return Outcome(scenario.name, seed, missing)
        kind.prepares(struck)
        people = People(standing.sim, standing.workspaces, standing.nobodys, sayings(chance))
        watched = await _played(struck, kind, people, times)
        found = await facts(standing, people.said, watched)
        await at_the_end(standing)
    return judged(scenario, seed, found, times, clock.monotonic() - began)


def _slug(*words: str) -> str:
    """What its folder and its topics are called."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower())[:LONGEST_NAME].strip("-")


async def _played(struck: Struck, kind: FaultKind, people: People, times: Times) -> Watched:
    standing, scenario, commits = struck.stage, struck.scenario, list[Look]()
    late = _starts_late(scenario)
    async with asyncio.TaskGroup() as beside:
        watching = [
            beside.create_task(each) for each in (standing.keep_up(), looks(standing.kafka, "responder", commits))
        ]
        await _start(standing, scenario, [each for each in SERVICES if each not in late])
        await standing.until_ready()
        talking = None if scenario.moment in NOBODY_TALKS_BEFORE else beside.create_task(people.talk())
        await _start(standing, scenario, late)
        await come(scenario.moment, standing, people, struck.chance)
        times.strike = _now()
        async with kind.strikes(struck):
            talking = talking or beside.create_task(people.talk())
            await asyncio.sleep(max(0.0, times.strike + scenario.fault.lasts_s - _now()))
            await until_it_goes_on(standing, scenario.fault.goes_on, times.strike + UNDER_WAY_S)
        times.over = _now()
        await asyncio.sleep(TALK_AFTER_S)
        people.that_is_enough()
        await talking
        times.ended = _now()
        left = await until_all_is_done(standing)
        await asyncio.gather(*(worker.end(gently=True) for worker in standing.everybody))
        for task in watching:
            task.cancel()
    return Watched(commits, [(times.strike, times.over)] if _is_deaf(scenario) else [], left)


def _starts_late(scenario: Scenario) -> tuple[str, ...]:
    """Who is just starting when it strikes: the service that is struck, or all who need what is struck."""
    if scenario.moment != "starting":
        return ()
    return (scenario.place,) if scenario.place in SERVICES else SERVICES


def _is_deaf(scenario: Scenario) -> bool:
    """Whether a responder may hear of no stop while it lasts."""
    return scenario.place in {"kafka", "everything", "responder"} or scenario.fault.told.get("to") == "kafka"


async def _start(standing: Stage, scenario: Scenario, services: Iterable[str]) -> None:
    for service in services:
        for number in range(scenario.fault.processes if service == scenario.place else 1):
            await standing.worker(service, number).start()


def _now() -> float:
    return SystemClock().now().timestamp()
