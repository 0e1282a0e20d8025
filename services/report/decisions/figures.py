"""The figures of a baseline that can be compared with another's, each by its name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, get_args

from services.report.decisions.baseline import Baseline, Group, Grouping, Limits, Outcomes, Ranks
from services.report.decisions.drift import By, Unit
from services.report.decisions.thresholds import RanksName, RateName

BYS: Final[tuple[By, ...]] = get_args(By)
MILLI: Final = 1000

Whose = tuple[By | None, str | None]
"""What runs have in common, and its name; nothing where a figure is of all."""
ALL: Final[Whose] = (None, None)


@dataclass(frozen=True)
class Counted:
    """So many of so many."""

    name: RateName
    hits: int
    of: int


@dataclass(frozen=True)
class Ranked:
    """Percentiles of something."""

    name: RanksName
    unit: Unit
    ranks: Ranks


Figure = Counted | Ranked


def figures(report: Baseline, whose: Whose) -> Iterator[Figure]:
    """Of all runs, or of those of one group, which must be listed."""
    by, name = whose
    if by is None:
        yield from _of_all(report)
    else:
        [found] = [each for each in grouping(report, by).largest if each.name == name]
        yield from _of_group(found)


def grouping(report: Baseline, by: By) -> Grouping:
    """Its runs by one thing."""
    return next(each for each in report.groupings if each.by == by)


def _of_all(report: Baseline) -> Iterator[Figure]:
    yield from _outcomes(report.outcomes)
    for phase in report.phases:
        yield Ranked(phase.name, "seconds", phase.seconds)
    yield Ranked("stop", "seconds", _in_seconds(report.stops.latency_ms))
    yield Ranked("tokens", "tokens", report.usage.tokens_each)
    yield Ranked("cost", "dollars", report.usage.cost_usd_each)
    yield Counted("match", report.reactions.matches, report.reactions.looked_at)
    yield Counted("skip", report.reactions.skips, report.reactions.looked_at)
    yield Counted("throttle", report.throttles.throttled, report.decisions.decisions)


def _of_group(group: Group) -> Iterator[Figure]:
    yield from _outcomes(group.outcomes)
    yield Ranked("first_token", "seconds", group.first_token_s)
    yield Ranked("whole", "seconds", group.whole_s)
    yield Ranked("tokens", "tokens", group.usage.tokens_each)
    yield Ranked("cost", "dollars", group.usage.cost_usd_each)


def _outcomes(runs: Outcomes) -> Iterable[Figure]:
    ended = runs.completed + runs.failed + runs.cancelled
    return (
        Counted("completion", runs.completed, ended),
        Counted("error", runs.failed, ended),
        Counted("cancel", runs.cancelled, ended),
    )


def _in_seconds(ranks: Ranks) -> Ranks:
    p50, p95, p99 = (None if value is None else value / MILLI for value in (ranks.p50, ranks.p95, ranks.p99))
    around = (_limits_in_seconds(each) for each in (ranks.p50_between, ranks.p95_between, ranks.p99_between))
    around_p50, around_p95, around_p99 = around
    return Ranks(
        count=ranks.count,
        p50=p50,
        p95=p95,
        p99=p99,
        p50_between=around_p50,
        p95_between=around_p95,
        p99_between=around_p99,
    )


def _limits_in_seconds(limits: Limits) -> Limits:
    low, high = (None if value is None else value / MILLI for value in limits)
    return low, high
