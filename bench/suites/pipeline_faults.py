"""The whole way under every fault that the scenario files name, one scenario after the other."""

import asyncio
import sys
from collections import Counter
from contextlib import AsyncExitStack

from bench.chaos.invariants import INVARIANT_OF
from bench.chaos.outcome import Outcome
from bench.chaos.play import play
from bench.chaos.scenario import scenarios
from bench.chaos.stage import Ground, ground
from bench.figure import Figure, Goal
from bench.suite import Bed, Measured, Suite
from services.kit.fault import Fault

SCENARIOS, AT_ONCE = 60, 2
PLAYED, HELD, STILL, MISSING = "scenarios", "of them held", "without progress", "not played on this machine"


async def run(bed: Bed, number: int) -> Measured:
    """All that were chosen, two at a time: they mostly wait. Each is told of as soon as it is over."""
    chosen, seed = list(scenarios(bed.only)), bed.seed + number
    if not chosen:
        raise Fault(f"no scenario's name fits {bed.only}; they stand in bench/chaos/scenarios")
    waiting = iter(chosen)
    found: dict[str, Outcome] = {}

    async def one_after_the_other(standing: Ground) -> None:
        for scenario in waiting:
            outcome = found[scenario.name] = await play(standing, scenario, seed)
            print(f"{len(found)}/{len(chosen)} {line_of(outcome)}", file=sys.stderr, flush=True)

    async with AsyncExitStack() as stack:
        folders = [bed.home.root / f"chaos-pipeline-{side}" for side in range(min(AT_ONCE, len(chosen)))]
        grounds = [await stack.enter_async_context(ground(folder)) for folder in folders]
        async with asyncio.TaskGroup() as group:
            for standing in grounds:
                group.create_task(one_after_the_other(standing))
    outcomes = [found[scenario.name] for scenario in chosen]
    return Measured(_counted(outcomes), {"seed": seed, "outcomes": [each.as_raw() for each in outcomes]})


def line_of(outcome: Outcome) -> str:
    """What came of one, for people who watch."""
    if outcome.missing:
        return f"not played: {outcome.name}: {outcome.missing}"
    told = [f"{check}: {len(found)} ({', '.join(found[:3])})" for check, found in outcome.wrong.items()]
    told += [f"no {what} while it lasted" for what in outcome.stood_still]
    return f"{'held' if outcome.holds else 'BROKE'}: {outcome.name} ({outcome.took_s:.0f} s) {'; '.join(told)}".rstrip()


def _counted(outcomes: list[Outcome]) -> dict[str, float]:
    played = [each for each in outcomes if not each.missing]
    found = Counter(dict.fromkeys(INVARIANT_OF, 0))
    for each in played:
        found.update({check: len(names) for check, names in each.wrong.items()})
    return {
        PLAYED: float(len(played)),
        HELD: float(sum(each.holds for each in played)),
        MISSING: float(len(outcomes) - len(played)),
        STILL: float(sum(bool(each.stood_still) for each in played)),
        **{check: float(count) for check, count in found.items()},
        "runs": sum(each.counts["runs"] for each in played),
        "events": sum(each.counts["events"] for each in played),
        "found where it is right": float(sum(len(names) for each in played for names in each.excused.values())),
        "took, s": sum(each.took_s for each in played),
    }


def judge(measured: list[Measured]) -> list[Figure]:
    """Nothing lost, nothing doubled, and something went on, in each of them."""
    whole = all(each.figures[PLAYED] + each.figures[MISSING] >= SCENARIOS for each in measured)
    goals = {STILL: Goal("==", 0), **dict.fromkeys(INVARIANT_OF, Goal("==", 0))}
    goals |= {PLAYED: Goal(">=", SCENARIOS)} if whole else {}
    return [
        Figure(name, "", tuple(each.figures[name] for each in measured), goals.get(name))
        for name in measured[0].figures
    ]


SUITE = Suite(
    name="pipeline",
    kind="chaos",
    what="the whole way from Slack to an answer under every fault × place × moment of bench/chaos/scenarios",
    runs=1,
    run=run,
    judge=judge,
    parts=(),
)
