"""Judges one figure, before and after: by how much it moved, and whether that is more than its threshold and noise."""

from collections.abc import Iterator
from typing import Final

from services.report.decisions.baseline import Limits
from services.report.decisions.certainty import ONE_IN
from services.report.decisions.counting import DIGITS, rate
from services.report.decisions.drift import Change, Verdict
from services.report.decisions.figures import Counted, Ranked, Whose
from services.report.decisions.proportions import chance
from services.report.decisions.thresholds import Direction, Thresholds

_EXACTLY: Final = 9
"""Digits of a difference: what floats add behind them is nobody's."""
_PER_CENT: Final = 100


def judged_rate(whose: Whose, before: Counted, after: Counted, thresholds: Thresholds) -> Change:
    """A rate, by its counts."""
    threshold = thresholds.rates[before.name]
    was, now = rate(before.hits, before.of), rate(after.hits, after.of)
    limit = threshold.points / _PER_CENT
    moved = None if was is None or now is None else round(after.hits / after.of - before.hits / before.of, DIGITS)
    p, test, beyond_noise = None, None, None
    if moved is not None and min(before.of, after.of) >= thresholds.fewest:
        p, test = chance(before.hits, before.of, after.hits, after.of)
        beyond_noise = p < 1 / ONE_IN
    return Change(
        by=whose[0],
        group=whose[1],
        measure=before.name,
        unit="share",
        before=was,
        after=now,
        of_before=before.of,
        of_after=after.of,
        moved=moved,
        threshold=limit,
        test=test,
        p=None if p is None else round(p, DIGITS),
        before_between=None,
        after_between=None,
        beyond_noise=beyond_noise,
        verdict=_verdict(threshold.worse, moved, limit, beyond_noise),
    )


def judged_ranks(whose: Whose, before: Ranked, after: Ranked, thresholds: Thresholds) -> Iterator[Change]:
    """Percentiles, each by its limits."""
    threshold = thresholds.percentiles[before.name]
    enough = min(before.ranks.count, after.ranks.count) >= thresholds.fewest
    for name, was, now, was_between, now_between, percent in (
        ("p50", before.ranks.p50, after.ranks.p50, before.ranks.p50_between, after.ranks.p50_between, threshold.p50),
        ("p95", before.ranks.p95, after.ranks.p95, before.ranks.p95_between, after.ranks.p95_between, threshold.p95),
        ("p99", before.ranks.p99, after.ranks.p99, before.ranks.p99_between, after.ranks.p99_between, threshold.p99),
    ):
        moved = None if was is None or now is None else round(now - was, _EXACTLY)
        limit = None if was is None else round(max(was * percent / _PER_CENT, threshold.least), _EXACTLY)
        beyond_noise = _apart(moved, was_between, now_between) if enough else None
        yield Change(
            by=whose[0],
            group=whose[1],
            measure=f"{before.name}_{name}",
            unit=before.unit,
            before=was,
            after=now,
            of_before=before.ranks.count,
            of_after=after.ranks.count,
            moved=moved,
            threshold=limit,
            test=None if beyond_noise is None else "limits",
            p=None,
            before_between=was_between,
            after_between=now_between,
            beyond_noise=beyond_noise,
            verdict=_verdict(threshold.worse, moved, limit, beyond_noise),
        )


def _apart(moved: float | None, before: Limits, after: Limits) -> bool | None:
    """Whether no value is within the limits of both. None where there is no limit on the side that counts."""
    if moved is None:
        return None
    if moved == 0:
        return False
    lower, upper = (before, after) if moved > 0 else (after, before)
    return None if lower[1] is None or upper[0] is None else lower[1] < upper[0]


def _verdict(worse: Direction, moved: float | None, limit: float | None, beyond_noise: bool | None) -> Verdict:  # noqa: FBT001 - one of three answers, not a switch
    if moved is None or limit is None or beyond_noise is None:
        return "too_few"
    if abs(moved) <= limit:
        return "small"
    if not beyond_noise:
        return "noise"
    if worse == "neither":
        return "moved"
    wrong = worse in {"either", "up" if moved > 0 else "down"}
    return "worse" if wrong else "better"
