"""Writes docs/reliability.md from raw data that is kept: `./dev chaos --write-docs`."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.chaos.invariants import INVARIANT_OF
from bench.chaos.planted import BUGS
from bench.chaos.scenario import Scenario, scenarios
from bench.kept_data import KEPT, Kept, every, newest
from bench.report import number
from bench.suites.supervisor_faults import ENDED, KILLED, KILLS
from bench.supervising.checking import CHECKS

PAGE = Path(__file__).parents[1] / "docs/reliability.md"
WORDS = KEPT / "reliability.in.md"
"""The page without its figures."""
CORE = "besides"
"""What is checked and is none of the invariants."""

Outcome = Mapping[str, Any]


def write() -> None:
    """Makes the page anew."""
    PAGE.write_text(page(), "utf-8")


def page() -> str:
    """The page, from what is kept. Of a scenario that was played again, the last time counts."""
    pipeline = every("chaos-pipeline")
    played = [each for kept in pipeline for each in _outcomes(kept)]
    outcomes = list({each["name"]: each for each in played}.values())
    planted = {each["bug"]: each for kept in every("chaos-planted") for each in _outcomes(kept)}
    bugs = [planted[name] for name in BUGS if name in planted]
    text = WORDS.read_text("utf-8")
    for mark, made in {
        "where": f"{pipeline[0].where('Played')} {_seed(pipeline[0])}",
        "again": "\n".join(_again(played, outcomes)) or "None.",
        "sum": _sum(outcomes),
        "invariants": _invariants(outcomes),
        "scenarios": "\n\n".join(_places(outcomes)),
        "excuses": "\n".join(_excuses(outcomes)) or "Nowhere.",
        "missing": "\n".join(_missing(outcomes)) or "All were played.",
        "bugs": _bugs(bugs),
        "supervisor": _supervisor(),
    }.items():
        text = text.replace(f"<!-- {mark} -->", made)
    return text


def _supervisor() -> str:
    kept = newest("chaos-supervisor")
    [run] = kept.runs
    figures: Mapping[str, float] = run["figures"]
    played = ", ".join(f"{name} {number(figures[f'{KILLED}: {name}'])} times" for name in KILLS)
    said = (
        f"{kept.where('Played')} The seed was {run['raw']['seed']}. There were {number(figures['tasks'])} tasks, "
        f"{number(figures['questions'])} questions and {number(figures['clicks'])} clicks, "
        f"{number(figures['of who may not'])} of them of people who may not. Killed: {played}. "
        f"Programs were done {number(figures['took, s'])} s after the start, and the last message was right "
        f"{number(figures['until Slack showed every end, s'])} s later."
    )
    lines = ["| what was looked for | found |", "|---|---|"]
    for check in (*CHECKS, ENDED):
        count = figures[check]
        lines.append(f"| {check} | {number(count) if not count else f'**{number(count)}**'} |")
    return "\n".join((said, "", *lines))


def _outcomes(kept: Kept) -> list[Outcome]:
    return [each for run in kept.runs for each in run["raw"]["outcomes"]]


def _again(played: list[Outcome], outcomes: list[Outcome]) -> Iterator[str]:
    """Scenarios that broke before what stands in the tables."""
    for each in played:
        if not each["missing"] and not each["holds"] and each not in outcomes:
            found = ", ".join(f"{check}: {len(names)}" for check, names in each["wrong"].items())
            yield f"- {each['name']}: {found or 'no ' + ', '.join(each['stood_still'])}"


def _seed(kept: Kept) -> str:
    [seed] = {run["raw"]["seed"] for run in kept.runs}
    return f"The seed was {seed}."


def _sum(outcomes: list[Outcome]) -> str:
    played = [each for each in outcomes if not each["missing"]]
    held = sum(each["holds"] for each in played)
    runs, events = (sum(each["counts"][what] for each in played) for what in ("runs", "events"))
    hours = sum(each["took_s"] for each in played) / 3600
    return (
        f"**{held} of {len(played)} scenarios held.** In {number(hours)} hours there were {number(events)} deliveries "
        f"and {number(runs)} runs."
    )


def _invariants(outcomes: list[Outcome]) -> str:
    lines = ["| invariant | what was looked for | found |", "|---|---|---|"]
    for check, invariant in sorted(INVARIANT_OF.items(), key=lambda each: (each[1] == CORE, each[1])):
        count = sum(len(each["wrong"].get(check, ())) for each in outcomes)
        lines.append(f"| {invariant} | {check} | {count if not count else f'**{count}**'} |")
    return "\n".join(lines)


def _places(outcomes: list[Outcome]) -> Iterator[str]:
    named = {each.name: each for each in scenarios()}
    there = [(named[each["name"]], each) for each in outcomes if each["name"] in named and not each["missing"]]
    for place, of_place in groupby(there, key=lambda each: each[0].place):
        rows = [_row(scenario, outcome) for scenario, outcome in of_place]
        heading = (
            "fault",
            "when",
            "acks",
            "decisions",
            "answers",
            "longest without an ack",
            "without a begun answer",
            "",
        )
        yield "\n".join((f"### {place}", "", f"| {' | '.join(heading)} |", f"|{'---|' * len(heading)}", *rows))


def _row(scenario: Scenario, outcome: Outcome) -> str:
    fault = scenario.fault
    went_on = [
        f"**{outcome['went_on'][what]}**" if what in fault.goes_on else str(outcome["went_on"][what])
        for what in ("acks", "decisions", "answers")
    ]
    silent = [f"{outcome['silent_s'][what]:.1f} s" for what in ("acks", "answers begun")]
    held = "held" if outcome["holds"] else "**broke**: " + ", ".join((*outcome["wrong"], *outcome["stood_still"]))
    cells = (fault.named or fault.fault, scenario.moment, *went_on, *silent, held)
    return f"| {' | '.join(cells)} |"


def _excuses(outcomes: list[Outcome]) -> Iterator[str]:
    named = {each.name: each for each in scenarios()}
    for outcome in outcomes:
        for check, found in outcome["excused"].items():
            if outcome["name"] in named:
                why = named[outcome["name"]].fault.excuses[check]
                often = "once" if len(found) == 1 else f"{len(found)} times"
                yield f"- {outcome['name']}: {check}, {often}; {why}"


def _missing(outcomes: list[Outcome]) -> Iterator[str]:
    return (f"- {each['name']}: {each['missing']}" for each in outcomes if each["missing"])


def _bugs(outcomes: list[Outcome]) -> str:
    lines = ["| service | the bug | played | found by |", "|---|---|---|---|"]
    for each in outcomes:
        found = ", ".join((*each["wrong"], *(f"no {what}" for what in each["stood_still"])))
        lines.append(
            f"| {each['service']} | {each['what']} | {each['name']} | {found if each['found'] else '**missed**'} |"
        )
    return "\n".join(lines)
