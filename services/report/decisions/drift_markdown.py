"""A drift as Markdown."""

from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from services.report.decisions import words
from services.report.decisions.baseline import Limits
from services.report.decisions.certainty import ONE_IN
from services.report.decisions.drift import Change, Drift, Side, Unit, Verdict
from services.report.decisions.drifting import by_group
from services.report.decisions.markdown import table

VERDICTS: Final[dict[Verdict, str]] = {
    "worse": "**worse**",
    "better": "better",
    "moved": "moved",
    "noise": "noise",
    "small": "no matter",
    "too_few": "too few to tell",
}


def drift_markdown(drift: Drift) -> str:
    """The same drift gives the same text."""
    return "\n".join(_lines(drift)) + "\n"


def _lines(drift: Drift) -> Iterator[str]:
    yield "# Drift\n"
    yield from table(("", "from", "to", "events", "runs"), [_side("before", drift.before), _side("after", drift.after)])
    yield f"\n{summary(drift)}"
    told = [each for each in drift.changes if each.verdict in {"worse", "better", "moved"}]
    if told:
        yield "\n## What moved, and matters\n"
        yield from table(("of", *HEAD), [(_whose(each), *_row(each)) for each in told])
    for by, group, changes in by_group(drift):
        yield "\n## All runs\n" if by is None else f"\n## By {by}: `{group}`\n"
        yield from table(HEAD, [_row(each) for each in changes])
    if drift.not_compared:
        yield "\n## What was not compared\n"
        yield from (f"- {each}" for each in drift.not_compared)
    yield "\n## How it was judged\n"
    yield from (f"- {each}" for each in _method(drift))


HEAD: Final = ("figure", "before", "after", "by", "matters beyond", "of", "noise?", "verdict")


def summary(drift: Drift) -> str:
    """What one would say of it in a sentence."""
    few = sum(each.verdict == "too_few" for each in drift.changes)
    said = f"Of {words.count(len(drift.changes))} figures {words.count(drift.worse)} got worse"
    said += f" and {words.count(drift.better)} better by more than their threshold and more than noise"
    said += f"; {words.count(drift.moved)} moved otherwise" if drift.moved else ""
    return said + f"; of {words.count(few)} there are too few to tell."


def _side(name: str, side: Side) -> tuple[str, ...]:
    return (name, words.moment(side.first), words.moment(side.last), words.count(side.events), words.count(side.runs))


def _whose(change: Change) -> str:
    return "all runs" if change.by is None else f"{change.by} `{change.group}`"


def _row(change: Change) -> tuple[str, ...]:
    return (
        words.plain(change.measure),
        _value(change.before, change.unit),
        _value(change.after, change.unit),
        _moved(change),
        _value(change.threshold, change.unit, points=True),
        f"{words.count(change.of_before)} / {words.count(change.of_after)}",
        _noise(change),
        VERDICTS[change.verdict],
    )


def _moved(change: Change) -> str:
    if change.moved is None:
        return words.NOTHING
    sign = "+" if change.moved > 0 else "\N{MINUS SIGN}" if change.moved < 0 else ""
    said = f"{sign}{_value(abs(change.moved), change.unit, points=True)}"
    if change.unit == "share" or not change.before:
        return said
    return f"{said} ({sign}{words.percent(abs(change.moved) / change.before)})"


def _noise(change: Change) -> str:
    if change.p is not None:
        return f"p < {1 / 10**6:.6f}" if change.p == 0 else f"p = {change.p:.3g}"
    if change.before_between is None or change.after_between is None:
        return words.NOTHING
    return f"{_between(change.before_between, change.unit)}; {_between(change.after_between, change.unit)}"


def _between(limits: Limits, unit: Unit) -> str:
    low, high = (_value(value, unit) for value in limits)
    return f"{low} to {high}"


def _value(value: float | None, unit: Unit, *, points: bool = False) -> str:
    if value is None:
        return words.NOTHING
    match unit:
        case "share":
            return f"{value * 100:.1f} points" if points else words.percent(value)
        case "seconds":
            return words.seconds(value)
        case "tokens":
            return f"{value:,.0f}"
        case "dollars":
            return words.dollars(value, 1)
        case _:
            assert_never(unit)


def _method(drift: Drift) -> Iterable[str]:
    yield (
        "A figure is worse where it moved the wrong way by more than its threshold and by more than noise. What moved "
        "by no more than its threshold does not matter, whether noise or not."
    )
    yield (
        "Rates: the two counts are tested two-sided, by Fisher's exact test where fewer than ten are expected in a "
        "cell, by the z-test of two proportions otherwise. It is more than noise where p is below "
        f"1/{ONE_IN}. The test takes runs for independent: an outage that fails many at once looks surer than it is."
    )
    yield (
        "Percentiles: each baseline says between which two of its values the true percentile lies, missing it at most "
        f"once in {ONE_IN} times, whatever the values are like. It is more than noise where the two spans are apart. "
        "That is strict: spans that touch may still hide a small move. Nothing is said of means or of shapes."
    )
    yield (
        f"Fewer than {drift.thresholds.fewest} before or after are too few to tell, and so is a percentile without the "
        "limit that counts: upper limits take 11 values for p50, 149 for p95, 757 for p99."
    )
    yield (
        f"{words.count(len(drift.changes))} figures were looked at. Where nothing changed, one looks as if it had at "
        f"most once in {ONE_IN} times if it is a rate, and twice if it is a percentile."
    )
