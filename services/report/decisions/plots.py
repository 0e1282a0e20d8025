"""Plots as SVG inside a page. Places are percentages, so that a plot fits any width and its words stay readable."""

import math
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import Final

from services.report.decisions import words
from services.report.decisions.baseline import Column, Phase, Share, Spread, Timeline
from services.report.decisions.telling import PHASES

HEIGHT: Final = 150
"""Of the drawing, in pixels; the words below it have `FOOT` more."""
FOOT: Final = 22
LANE: Final = 46
GAP: Final = 0.18
"""Of a column's width is left free."""

_ORDER: Final = ("completed", "failed", "cancelled", "open")


def svg(height: int, what: str, parts: Iterator[str]) -> str:
    """A drawing that says in words what it shows."""
    return (
        f'<svg class="plot" role="img" aria-label="{escape(what)}" width="100%" height="{height}">'
        f"{''.join(parts)}</svg>"
    )


def runs_over_time(timeline: Timeline) -> str:
    """Stacked columns, one for each span."""
    return svg(HEIGHT + FOOT, "Runs over time, by how they ended", _columns(timeline))


def _columns(timeline: Timeline) -> Iterator[str]:
    begins = [column.begin.timestamp() for column in timeline.columns]
    first, width = begins[0], 100 / max(1, (begins[-1] - begins[0]) / timeline.span_s + 1)
    highest = max(map(_total, timeline.columns))
    yield from _grid(highest)
    for begin, column in zip(begins, timeline.columns, strict=True):
        left, top = (begin - first) / timeline.span_s * width, float(HEIGHT)
        label = f"{words.moment(column.begin)}: {', '.join(f'{getattr(column, name)} {name}' for name in _ORDER)}"
        yield f"<g><title>{escape(label)}</title>"
        for name in _ORDER:
            height = getattr(column, name) / highest * (HEIGHT - 14)
            top -= height
            if height:
                yield _rect(left + width * GAP / 2, top, (width * (1 - GAP), height), name)
        yield "</g>"
    yield _text(0, HEIGHT + 16, f"{timeline.columns[0].begin:%d %b %H:%M}", "start")
    if len(timeline.columns) > 1:
        yield _text(100, HEIGHT + 16, f"{timeline.columns[-1].begin:%d %b %H:%M}", "end")


def _total(column: Column) -> int:
    return column.completed + column.failed + column.cancelled + column.open


def _grid(highest: int) -> Iterator[str]:
    """The line at the top, with what it stands for, and the one at the bottom."""
    yield f'<line class="grid" x1="0" x2="100%" y1="14" y2="14"/>{_text(0, 10, words.count(highest), "start")}'
    yield f'<line class="axis" x1="0" x2="100%" y1="{HEIGHT}" y2="{HEIGHT}"/>'


def spread(found: Spread, unit_s: float, what: str, mark: float | None = None) -> str:
    """How values are spread, on a scale that grows by powers; `mark` is a value to draw a line at.

    One of the values is `unit_s` seconds.
    """
    return svg(HEIGHT + FOOT, what, _bars(found, unit_s, mark))


def _bars(found: Spread, unit_s: float, mark: float | None) -> Iterator[str]:
    width, highest = 100 / len(found.counts), max(found.counts)
    yield from _grid(highest)
    for place, count in enumerate(found.counts):
        last = place == len(found.bounds)
        label = f"{'more' if last else 'up to ' + words.step(found.bounds[place] * unit_s)}: {words.count(count)}"
        height = count / highest * (HEIGHT - 14)
        size = (width * (1 - GAP), height)
        rect = _rect(place * width + width * GAP / 2, HEIGHT - height, size, "value")
        yield f"<g><title>{escape(label)}</title>{rect}</g>"
    for place in _labelled(len(found.bounds)):
        yield _text(
            (place + 1) * width, HEIGHT + 16, words.step(found.bounds[place] * unit_s), "end" if place else "middle"
        )
    if mark is not None and found.bounds and found.bounds[0] <= mark <= found.bounds[-1]:
        at = next(place for place, bound in enumerate(found.bounds) if bound >= mark) + 1
        yield f'<line class="mark" x1="{at * width:.3f}%" x2="{at * width:.3f}%" y1="0" y2="{HEIGHT}"/>'


def _labelled(bounds: int) -> Sequence[int]:
    """Up to five of them, evenly."""
    if bounds <= 1:
        return range(bounds)
    count = min(5, bounds)
    return sorted({round(step * (bounds - 1) / (count - 1)) for step in range(count)})


def phases(found: Sequence[Phase]) -> str:
    """For each phase where half, 95 and 99 of 100 runs are, on a scale that grows tenfold."""
    seen = [each for each in found if each.seconds.count]
    return svg(LANE * len(seen) + FOOT, "How long the parts of an answer take", _lanes(seen))


def _lanes(seen: Sequence[Phase]) -> Iterator[str]:
    values = [value for each in seen for value in (each.seconds.p50, each.seconds.p99) if value]
    low, high = math.floor(math.log10(min(values, default=1))), math.ceil(math.log10(max(values, default=1)))
    high = max(high, low + 1)

    def at(value: float | None) -> float:
        return 100 * (math.log10(max(value or 0, 10**low)) - low) / (high - low)

    foot = LANE * len(seen)
    for power in range(low, high + 1):
        place = 100 * (power - low) / (high - low)
        anchor = "start" if power == low else "end" if power == high else "middle"
        yield f'<line class="grid" x1="{place:.3f}%" x2="{place:.3f}%" y1="0" y2="{foot}"/>'
        yield _text(place, foot + 16, words.step(10.0**power), anchor)
    for row, each in enumerate(seen):
        top, took = row * LANE, each.seconds
        p50, p95, p99 = at(took.p50), at(took.p95), at(took.p99)
        middle = top + 32
        said = f"{words.seconds(took.p50)} · {words.seconds(took.p95)} · {words.seconds(took.p99)}"
        yield f'<text class="name" x="0" y="{top + 16}">{escape(PHASES[each.name])}</text>'
        yield f'<text class="number" x="100%" y="{top + 16}" text-anchor="end">{escape(said)}</text>'
        yield f'<line class="thin" x1="{p95:.3f}%" x2="{p99:.3f}%" y1="{middle}" y2="{middle}"/>'
        yield f'<line class="thick" x1="{p50:.3f}%" x2="{p95:.3f}%" y1="{middle}" y2="{middle}"/>'
        yield f'<circle class="dot" cx="{p50:.3f}%" cy="{middle}" r="5.5"/>'
        yield f'<line class="tick" x1="{p99:.3f}%" x2="{p99:.3f}%" y1="{middle - 5}" y2="{middle + 5}"/>'


def shares(found: Sequence[Share]) -> str:
    """A bar for each, beside its name and number."""
    most = max((each.count for each in found), default=1) or 1
    rows = (
        f'<li><span class="name">{escape(words.plain(each.name))}</span>'
        f'<span class="number">{words.count(each.count)} <small>{words.percent(each.share)}</small></span>'
        f'<svg width="100%" height="6" aria-hidden="true"><rect class="track" width="100%" height="6" rx="3"/>'
        f'<rect class="value" width="{each.count / most * 100:.3f}%" height="6" rx="3"/></svg></li>'
        for each in found
    )
    return f'<ul class="bars">{"".join(rows)}</ul>'


def stacked(counts: Sequence[tuple[str, int]]) -> str:
    """One bar, divided."""
    total = sum(count for _, count in counts) or 1
    edges = [0.0]
    for _, count in counts:
        edges.append(edges[-1] + 100 * count / total)
    label = ", ".join(f"{count} {name}" for name, count in counts)
    parts = (
        f'<rect class="{name}" x="{left:.3f}%" width="{right - left:.3f}%" height="10"/>'
        for (name, _), (left, right) in zip(counts, pairwise(edges), strict=True)
        if right > left
    )
    return (
        f'<svg class="stack" role="img" aria-label="{escape(label)}" width="100%" height="10">'
        f"<title>{escape(label)}</title>{''.join(parts)}</svg>"
    )


def _rect(left: float, top: float, size: tuple[float, float], name: str) -> str:
    width, height = size
    return f'<rect class="{name}" x="{left:.3f}%" y="{top:.2f}" width="{width:.3f}%" height="{height:.2f}"/>'


def _text(left: float, top: float, text: str, anchor: str) -> str:
    return f'<text x="{left:.3f}%" y="{top}" text-anchor="{anchor}">{escape(text)}</text>'
