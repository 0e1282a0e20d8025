"""Planted bugs: each is put into a service, a scenario is played with it, and some check must find it."""

import sys
from fnmatch import fnmatchcase

from bench.chaos.outcome import Outcome
from bench.chaos.planted import BUGS, Bug
from bench.chaos.play import play
from bench.chaos.scenario import scenarios
from bench.chaos.stage import ground
from bench.figure import Figure, Goal
from bench.suite import Bed, Measured, Suite

FOUND = "planted bugs that were found"


def finds(bug: Bug, outcome: Outcome) -> bool:
    """Whether a check that is there for it found it."""
    return bool(bug.checks & {*outcome.wrong, *(f"no {what}" for what in outcome.stood_still)})


async def run(bed: Bed, number: int) -> Measured:
    """One after the other."""
    seed = bed.seed + number
    named = {each.name: each for each in scenarios()}
    found: dict[str, bool] = {}
    outcomes = []
    async with ground(bed.home.root / "chaos-planted") as standing:
        for name, bug in BUGS.items():
            if not fnmatchcase(name, bed.only):
                continue
            modules = {bug.service: f"bench.chaos.planted {name}"}
            outcome = await play(standing, named[bug.scenario], seed, modules)
            found[name] = finds(bug, outcome)
            outcomes.append(
                {"bug": name, "service": bug.service, "what": bug.what, "found": found[name], **outcome.as_raw()}
            )
            told = ", ".join((*outcome.wrong, *(f"no {what}" for what in outcome.stood_still))) or "nothing"
            print(f"{'found' if found[name] else 'MISSED'}: {name}: {told}", file=sys.stderr, flush=True)
    figures = {FOUND: float(sum(found.values())), "of": float(len(found))}
    return Measured(figures, {"seed": seed, "outcomes": outcomes})


def judge(measured: list[Measured]) -> list[Figure]:
    """All of them."""
    wanted = Goal("==", measured[0].figures["of"])
    return [
        Figure(FOUND, "", tuple(each.figures[FOUND] for each in measured), wanted),
        Figure("of", "", tuple(each.figures["of"] for each in measured)),
    ]


SUITE = Suite(
    name="planted",
    kind="chaos",
    what=f"{len(BUGS)} bugs planted into services, each of which a check of `./dev chaos pipeline` must find",
    runs=1,
    run=run,
    judge=judge,
    parts=(),
)
