"""A baseline as Markdown."""

from collections.abc import Iterable, Iterator, Sequence

from services.report.decisions import telling, words
from services.report.decisions.baseline import Baseline, Group, Grouping, Ranks, Share, SourceOfStops, Stops

Cells = Sequence[str]


def markdown(report: Baseline) -> str:
    """The same report gives the same text."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Baseline) -> Iterator[str]:
    yield "# Baseline"
    yield f"\n{telling.stretch(report.log)}.\n"
    yield telling.summary(report)
    yield from _runs(report)
    for grouping in report.groupings:
        yield from _grouping(grouping)
    yield f"\n{telling.sessions(report)}"
    yield from _stops(report)
    yield from _reactions(report)
    yield from _decisions(report)
    yield "\n## What was missing\n"
    yield from _list(telling.left_out(report.log), "nothing: every record counts, and says all that a report asks for")
    yield "\n## How it was counted\n"
    yield from _list(telling.method(report), "")


def _runs(report: Baseline) -> Iterator[str]:
    runs, usage = report.outcomes, report.usage
    yield "\n## Runs\n"
    yield from table(
        ("runs", "completed", "failed", "stopped", "open"),
        [
            (
                words.count(runs.runs),
                f"{words.count(runs.completed)} ({words.percent(runs.completion_rate)})",
                f"{words.count(runs.failed)} ({words.percent(runs.error_rate)})",
                f"{words.count(runs.cancelled)} ({words.percent(runs.cancel_rate)})",
                words.count(runs.open),
            )
        ],
    )
    yield ""
    yield from table(
        ("from the receipt until", "runs", "p50", "p95", "p99"),
        [(telling.PHASES[each.name], *_ranks(each.seconds)) for each in report.phases],
    )
    yield (
        f"\n{words.count(usage.input_tokens)} tokens in, {words.count(usage.output_tokens)} out, in "
        f"{words.count(usage.measured)} runs that say so; {words.dollars(usage.cost_usd, usage.priced)} in "
        f"{words.count(usage.priced)} runs that say what they cost. "
        f"Feedback: {words.count(report.feedback.good)} good, {words.count(report.feedback.bad)} bad."
    )
    yield from _shares("Why runs failed", report.errors)


def _grouping(grouping: Grouping) -> Iterator[str]:
    yield f"\n## {telling.TITLES[grouping.by]}\n"
    if not grouping.largest:
        yield "None that the log names."
        return
    head = (grouping.by, "runs", "completed", "failed", "stopped", "first token p50 / p95", "whole p50 / p95")
    yield from table((*head, "tokens in / out", "cost"), [_group(each) for each in grouping.largest])
    more = grouping.groups - len(grouping.largest)
    if more:
        yield f"\nThe largest {len(grouping.largest)} of {words.count(grouping.groups)}."
    if grouping.runs_without:
        yield f"\n{words.count(grouping.runs_without)} runs do not say it."


def _group(group: Group) -> Cells:
    runs, usage = group.outcomes, group.usage
    return (
        f"`{group.name}`",
        words.count(runs.runs),
        words.percent(runs.completion_rate),
        words.percent(runs.error_rate),
        words.percent(runs.cancel_rate),
        f"{words.seconds(group.first_token_s.p50)} / {words.seconds(group.first_token_s.p95)}",
        f"{words.seconds(group.whole_s.p50)} / {words.seconds(group.whole_s.p95)}",
        f"{words.count(usage.input_tokens)} / {words.count(usage.output_tokens)}",
        words.dollars(usage.cost_usd, usage.priced),
    )


def _stops(report: Baseline) -> Iterator[str]:
    stops = report.stops
    yield "\n## Stops\n"
    yield (
        f"{words.count(stops.requests)} requests ({words.count(stops.refused)} more were refused, "
        f"{words.count(stops.met_nothing)} met no run), meant for {words.count(stops.cancels)} runs: "
        f"{words.count(stops.in_time)} took hold within {words.step(stops.window.seconds)}, "
        f"{words.count(stops.late)} later, {words.count(stops.never)} never. "
        f"{words.count(stops.unasked)} runs were cut off unasked.\n"
    )
    yield from table(
        ("asked by", "in time", "late", "never", "p50", "p95", "p99"),
        [_stopped("all", stops), *(_stopped(each.name, each) for each in stops.by_source)],
    )


def _stopped(name: str, stops: Stops | SourceOfStops) -> Cells:
    took = stops.latency_ms
    return (
        name,
        *(words.count(value) for value in (stops.in_time, stops.late, stops.never)),
        *(words.milliseconds(value) for value in (took.p50, took.p95, took.p99)),
    )


def _reactions(report: Baseline) -> Iterator[str]:
    reactions = report.reactions
    yield "\n## Rules\n"
    yield (
        f"Tried on {words.count(reactions.looked_at)} messages: {words.count(reactions.matches)} matched "
        f"({words.percent(reactions.match_rate)}), {words.count(reactions.skips)} did not "
        f"({words.percent(reactions.skip_rate)})."
    )
    yield from _shares("Why none matched", reactions.skip_reasons)
    if reactions.by_rule:
        yield ""
        yield from table(
            ("rule", "tenant", "matches", "led to runs"),
            [
                (f"`{each.name}`", f"`{each.tenant}`", words.count(each.matches), words.count(each.led_to_runs))
                for each in reactions.by_rule
            ],
        )


def _decisions(report: Baseline) -> Iterator[str]:
    throttles = report.throttles
    yield "\n## Decisions and limits"
    yield from _shares("What became of envelopes", report.decisions.kinds)
    yield from _shares("Why envelopes were ignored", report.decisions.ignored_reasons)
    yield f"\n{words.count(throttles.throttled)} were over a limit ({words.percent(throttles.rate)} of all decisions)."
    yield from _shares("Whose limit", throttles.by_bucket)
    yield from _shares("How that was told", throttles.told_by)
    yield from _shares("Throttled by tenant", throttles.by_tenant)


def _shares(title: str, shares: Sequence[Share]) -> Iterator[str]:
    if shares:
        yield f"\n{title}:\n"
        rows = [(words.plain(each.name), words.count(each.count), words.percent(each.share)) for each in shares]
        yield from table(("", "count", "share"), rows)


def _ranks(ranks: Ranks) -> Cells:
    return words.count(ranks.count), *(words.seconds(value) for value in (ranks.p50, ranks.p95, ranks.p99))


def _list(lines: Iterable[str], nothing: str) -> Iterator[str]:
    found = [f"- {line}" for line in lines]
    yield from found or [f"- {nothing}"]


def table(head: Cells, rows: Iterable[Cells]) -> Iterator[str]:
    """Rows under a head."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
