"""Compares two baselines: all their runs, and those by origin, agent and model that both of them list."""

from collections.abc import Iterator

from services.report.decisions.baseline import Baseline
from services.report.decisions.drift import By, Change, Drift, Side
from services.report.decisions.figures import ALL, BYS, Counted, Whose, figures, grouping
from services.report.decisions.judging import judged_ranks, judged_rate
from services.report.decisions.thresholds import Thresholds


def drift_of(before: Baseline, after: Baseline, thresholds: Thresholds) -> Drift:
    """The same two give the same drift."""
    listed, alone = [ALL], []
    for by in BYS:
        if by == "agent" and not _named_alike(before, after):
            alone.append("agents: their names are hashed with different keys, so none of them can be found again")
            continue
        names, others = ([each.name for each in grouping(side, by).largest] for side in (before, after))
        listed += [(by, name) for name in names if name in others]
        alone += [f"{by} {name}: only before" for name in names if name not in others]
        alone += [f"{by} {name}: only after" for name in others if name not in names]
    alone += list(_without_limits(before, after))
    changes = tuple(change for whose in listed for change in _changes(whose, before, after, thresholds))
    verdicts = [each.verdict for each in changes]
    return Drift(
        before=_side(before),
        after=_side(after),
        worse=verdicts.count("worse"),
        better=verdicts.count("better"),
        moved=verdicts.count("moved"),
        changes=changes,
        not_compared=tuple(alone),
        thresholds=thresholds,
    )


def _changes(whose: Whose, before: Baseline, after: Baseline, thresholds: Thresholds) -> Iterator[Change]:
    for was, now in zip(figures(before, whose), figures(after, whose), strict=True):
        if isinstance(was, Counted) and isinstance(now, Counted):
            if was.of or now.of:
                yield judged_rate(whose, was, now, thresholds)
        elif not isinstance(was, Counted) and not isinstance(now, Counted) and (was.ranks.count or now.ranks.count):
            yield from judged_ranks(whose, was, now, thresholds)


def _named_alike(before: Baseline, after: Baseline) -> bool:
    return (before.naming.ids, before.naming.key) == (after.naming.ids, after.naming.key)


def _without_limits(before: Baseline, after: Baseline) -> Iterator[str]:
    """An older version's baseline says no limits, however many runs there were."""
    for side, report in (("before", before), ("after", after)):
        if any(each.seconds.count and "p50_between" not in each.seconds.model_fields_set for each in report.phases):
            yield f"percentiles: the baseline {side} is of an older version and does not say how sure they are"


def _side(report: Baseline) -> Side:
    return Side(first=report.log.first, last=report.log.last, events=report.log.events, runs=report.outcomes.runs)


def by_group(drift: Drift) -> Iterator[tuple[By | None, str | None, list[Change]]]:
    """Its changes, together with those of the same runs."""
    found: dict[tuple[By | None, str | None], list[Change]] = {}
    for change in drift.changes:
        found.setdefault((change.by, change.group), []).append(change)
    for (by, group), changes in found.items():
        yield by, group, changes
