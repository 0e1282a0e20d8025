"""A baseline as one page: it needs no network, runs no script, and opens from disk."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from services.report.decisions import plots, telling, words
from services.report.decisions.baseline import Baseline, Group, Grouping, Outcomes, Ranks, Share
from services.report.decisions.style import STYLE

OPEN_FIRST = ("origin", "agent", "model")
"""The tables that are open at first."""
ENDS = (("completed", "completed"), ("failed", "failed"), ("cancelled", "stopped"), ("open", "open"))


def page(report: Baseline) -> str:
    """The same report gives the same bytes."""
    title = f"Baseline, {report.log.first:%d %B %Y}" if report.log.first else "Baseline"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>\n"
        + "\n".join(_sections(report))
        + "\n</main></body></html>\n"
    )


def _sections(report: Baseline) -> Iterator[str]:
    yield f'<h1>Baseline</h1><p class="when">{escape(telling.stretch(report.log))}</p>'
    yield f'<p class="lede">{escape(telling.summary(report))}</p>'
    yield _tiles(report)
    if report.timeline.columns:
        yield from _over_time(report)
    if any(phase.seconds.count for phase in report.phases):
        yield from _latency(report)
    yield f"<h2>Whose runs they are</h2><p>{escape(telling.sessions(report))}</p>" + "".join(
        _grouping(each) for each in report.groupings
    )
    yield from _stops(report)
    yield from _reactions(report)
    yield from _decisions(report)
    yield from _listed("What was missing", telling.left_out(report.log), "Nothing: every record counts.")
    yield from _listed("How it was counted", telling.method(report), "")
    yield f"<footer>{escape(report.format)}</footer>"


def _tiles(report: Baseline) -> str:
    runs, stops, reactions, throttles = report.outcomes, report.stops, report.reactions, report.throttles
    took = {phase.name: phase.seconds for phase in report.phases}
    usage = report.usage
    tiles = (
        ("Completed", words.percent(runs.completion_rate), f"{words.count(runs.completed)} runs"),
        ("Failed", words.percent(runs.error_rate), f"{words.count(runs.failed)} runs"),
        ("Stopped", words.percent(runs.cancel_rate), f"{words.count(runs.cancelled)} runs"),
        ("First token", words.seconds(took["first_token"].p50), _tail(took["first_token"])),
        ("Whole answer", words.seconds(took["whole"].p50), _tail(took["whole"])),
        ("A stop takes hold", words.milliseconds(stops.latency_ms.p50), _tail(stops.latency_ms, milliseconds=True)),
        ("Rules matched", words.percent(reactions.match_rate), f"of {words.count(reactions.looked_at)} messages"),
        ("Over a limit", words.percent(throttles.rate), f"{words.count(throttles.throttled)} envelopes"),
        ("Tokens in", words.count(usage.input_tokens), f"in {words.count(usage.measured)} runs"),
        ("Tokens out", words.count(usage.output_tokens), "likewise"),
        ("Cost", words.dollars(usage.cost_usd, usage.priced), f"{words.count(usage.priced)} runs say it"),
        ("Thumbs up", words.count(report.feedback.good), f"{words.count(report.feedback.bad)} down"),
    )
    return (
        '<dl class="tiles">'
        + "".join(
            f"<div><dt>{name}</dt><dd>{escape(value)}<small>{escape(more)}</small></dd></div>"
            for name, value, more in tiles
        )
        + "</dl>"
    )


def _tail(ranks: Ranks, *, milliseconds: bool = False) -> str:
    said = words.milliseconds if milliseconds else words.seconds
    return f"p95 {said(ranks.p95)}, p99 {said(ranks.p99)}"


def _over_time(report: Baseline) -> Iterator[str]:
    timeline = report.timeline
    yield f'<h2>Runs over time</h2><p class="note">Each column is one {words.span(timeline.span_s)}.</p>'
    yield _legend() + plots.runs_over_time(timeline) + _failures(report)
    if timeline.outside:
        far = f"{words.count(timeline.outside)} runs lie at times far from all others and are not drawn."
        yield f'<p class="note">{far}</p>'


def _failures(report: Baseline) -> str:
    return f'<div class="two"><div>{_shares("Why runs failed", report.errors)}</div></div>' if report.errors else ""


def _legend() -> str:
    return '<ul class="legend">' + "".join(f'<li><i class="{name}"></i>{said}</li>' for name, said in ENDS) + "</ul>"


def _latency(report: Baseline) -> Iterator[str]:
    yield (
        '<h2>How long answers take</h2><p class="note">From the receipt on, of completed runs. The dot is what half '
        "of them stay within, the thick line ends where 95 of 100 are, the thin one at 99.</p>"
    )
    yield plots.phases(report.phases)
    if report.whole_spread_s.counts:
        yield "<h3>How whole answers are spread</h3>"
        yield plots.spread(report.whole_spread_s, 1, "How long whole answers take")


def _grouping(grouping: Grouping) -> str:
    if not grouping.largest:
        return ""
    more = grouping.groups - len(grouping.largest)
    size = f"{words.count(grouping.groups)}" + (f", the largest {len(grouping.largest)} listed" if more else "")
    without = f"; {words.count(grouping.runs_without)} runs do not say it" if grouping.runs_without else ""
    opened = " open" if grouping.by in OPEN_FIRST else ""
    head = ("", "runs", "", "completed", "failed", "stopped", "first token p50", "p95", "whole p50", "p95", "tokens")
    return (
        f"<details{opened}><summary>{telling.TITLES[grouping.by]}<small>{size}{without}</small></summary>"
        + _table((*head, "cost"), (_group(each) for each in grouping.largest))
        + "</details>"
    )


def _group(group: Group) -> Sequence[str]:
    runs, usage = group.outcomes, group.usage
    first, whole = group.first_token_s, group.whole_s
    return (
        f"<td><code>{escape(group.name)}</code></td>",
        _number(words.count(runs.runs)),
        f'<td class="bar">{plots.stacked(_ends(runs))}</td>',
        *(_number(words.percent(rate)) for rate in (runs.completion_rate, runs.error_rate, runs.cancel_rate)),
        *(_number(words.seconds(value)) for value in (first.p50, first.p95, whole.p50, whole.p95)),
        _number(words.count(usage.input_tokens + usage.output_tokens)),
        _number(words.dollars(usage.cost_usd, usage.priced)),
    )


def _ends(runs: Outcomes) -> Sequence[tuple[str, int]]:
    return (
        ("completed", runs.completed),
        ("failed", runs.failed),
        ("cancelled", runs.cancelled),
        ("open", runs.open),
    )


def _stops(report: Baseline) -> Iterator[str]:
    stops = report.stops
    if not stops.requests and not stops.unasked:
        return
    within = words.step(stops.window.seconds)
    yield (
        f"<h2>Stops</h2><p>{words.count(stops.requests)} requests were meant for {words.count(stops.cancels)} runs. "
        f"{words.count(stops.in_time)} took hold within {within}, {words.count(stops.late)} later and "
        f"{words.count(stops.never)} never; {words.count(stops.met_nothing)} met no run, "
        f"{words.count(stops.refused)} more were refused. {words.count(stops.unasked)} runs were cut off unasked.</p>"
    )
    if stops.spread_ms.counts:
        yield plots.spread(stops.spread_ms, 0.001, "How long stops take", stops.window.seconds * 1000)
    rows = (
        (
            f"<td>{escape(words.plain(each.name))}</td>",
            *(_number(words.count(value)) for value in (each.in_time, each.late, each.never)),
            *(
                _number(words.milliseconds(value))
                for value in (each.latency_ms.p50, each.latency_ms.p95, each.latency_ms.p99)
            ),
        )
        for each in stops.by_source
    )
    yield _table(("asked by", "in time", "late", "never", "p50", "p95", "p99"), rows)


def _reactions(report: Baseline) -> Iterator[str]:
    reactions = report.reactions
    if not reactions.looked_at:
        return
    yield (
        f"<h2>Rules</h2><p>Tried on {words.count(reactions.looked_at)} messages; "
        f"{words.count(reactions.matches)} matched ({words.percent(reactions.match_rate)}).</p>"
    )
    rules = (
        (
            f"<td><code>{escape(each.name)}</code></td><td><code>{escape(each.tenant)}</code></td>",
            *(_number(words.count(value)) for value in (each.matches, each.led_to_runs)),
        )
        for each in reactions.by_rule
    )
    table = _table(("rule", "tenant", "matches", "led to runs"), rules) if reactions.by_rule else "<p>None matched.</p>"
    yield (
        f'<div class="two"><div>{_shares("Why none matched", reactions.skip_reasons)}</div>'
        f"<div><h3>Rules that matched</h3>{table}</div></div>"
    )


def _decisions(report: Baseline) -> Iterator[str]:
    decisions, throttles = report.decisions, report.throttles
    if not decisions.decisions:
        return
    yield f"<h2>Decisions and limits</h2><p>{words.count(decisions.decisions)} envelopes were decided.</p>"
    yield (
        f'<div class="two"><div>{_shares("What became of them", decisions.kinds)}</div>'
        f"<div>{_shares('Why they were ignored', decisions.ignored_reasons)}</div>"
        f"<div>{_shares('Whose limit they were over', throttles.by_bucket)}</div>"
        f"<div>{_shares('How that was told', throttles.told_by)}</div>"
        f"<div>{_shares('Throttled by tenant', throttles.by_tenant)}</div></div>"
    )


def _shares(title: str, found: Sequence[Share]) -> str:
    return f"<h3>{title}</h3>{plots.shares(found)}" if found else ""


def _listed(title: str, lines: Iterable[str], nothing: str) -> Iterator[str]:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    yield f"<h2>{title}</h2>" + (f'<ul class="plain">{items}</ul>' if items else f"<p>{nothing}</p>")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return (
        '<div class="scroll"><table><thead><tr>'
        + "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
        + "</tr></thead><tbody>"
        + "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
        + "</tbody></table></div>"
    )


def _number(text: str) -> str:
    return f"<td>{escape(text)}</td>"
