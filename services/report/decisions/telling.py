"""Sentences of a report that stand in its Markdown and in its page alike."""

from collections.abc import Iterator

from services.report.decisions import words
from services.report.decisions.baseline import Baseline, Log, Naming
from services.report.decisions.opening import TROUBLES

TITLES = {
    "origin": "By origin",
    "trigger": "By what made them start",
    "tenant": "By tenant",
    "agent": "By agent",
    "model": "By model",
    "channel": "By channel",
    "session": "By session (thread)",
}
PHASES = {
    "accepted": "taken in hand",
    "thinking": "“Thinking…” is said",
    "first_token": "first token",
    "last_token": "last token",
    "finished": "last words stand in Slack",
    "whole": "until the end is on record",
}


def summary(report: Baseline) -> str:
    """What one would say of it in two sentences."""
    runs, whole = report.outcomes, report.phases[-1].seconds
    if not runs.runs:
        return "There is no run in this stretch of the log."
    said = (
        f"{words.count(runs.runs)} runs in {words.count(report.sessions.sessions)} threads: "
        f"{words.percent(runs.completion_rate)} completed, {words.percent(runs.error_rate)} failed, "
        f"{words.percent(runs.cancel_rate)} were stopped."
    )
    if whole.count:
        said += f" Half of the answers were whole after {words.seconds(whole.p50)}, "
        said += f"95 of 100 after {words.seconds(whole.p95)}."
    return said


def sessions(report: Baseline) -> str:
    """How whole conversations went."""
    found = report.sessions
    return (
        f"{words.count(found.sessions)} sessions: {words.count(found.all_complete)} without a failure or a stop, "
        f"{words.count(found.with_error)} with a failure, {words.count(found.with_cancel)} with a stop. "
        f"Runs in each: p50 {words.whole(found.runs_each.p50)}, p95 {words.whole(found.runs_each.p95)}."
    )


def stretch(log: Log) -> str:
    """From when until when, and how much."""
    said = f"{words.moment(log.first)} to {words.moment(log.last)}, {words.count(log.events)} events"
    return said if log.only is None else f"{said} of {log.only}"


def naming(named: Naming) -> str:
    """How ids are named."""
    if named.ids == "revealed":
        return "Ids are shown as they are: this report is for operators."
    if named.key_is == "kept":
        return f"Ids are hashed with the operator's key {named.key}; names are the same in every report under it."
    return f"Ids are hashed with a key that was made for this report ({named.key}) and is kept nowhere."


def method(report: Baseline) -> Iterator[str]:
    """How it was counted."""
    window = report.stops.window
    if report.log.only is not None:
        yield (
            f"Only runs of {report.log.only} are counted, with their stops and their feedback. Decisions, limits and "
            "refused stops belong to no run's origin or model and are left out; rules are counted for channels alone."
        )
    yield "Rates are of runs that ended. A run whose end is not in the log is open; of several ends the earliest holds."
    yield (
        "Percentiles are exact, by nearest rank: of n values in order, the one in place ⌈n · percent / 100⌉. Each is a "
        "value that was seen. Phases are of completed runs, from Slack's receipt on."
    )
    yield (
        f"A stop counts as taken hold of within {words.step(window.seconds)} of its request. This window was "
        + (f"chosen by itself: {window.how}." if window.chosen == "by itself" else "given.")
    )
    yield "Events with the same id count once. Nothing depends on their order, or on where they were read from."
    yield naming(report.naming)


def left_out(log: Log) -> Iterator[str]:
    """What was read and does not count, and what the log does not say."""
    descriptions = {str(name): text for name, text in TROUBLES.items()}
    for share in log.left_out:
        yield f"{descriptions.get(share.name, share.name)}: {words.count(share.count)}, left out"
    if log.repeats:
        yield f"events that were there before: {words.count(log.repeats)}, which count once"
    if log.clock_jumps:
        jumps = words.count(log.clock_jumps)
        yield f"runs and stops that end before they begin, as a clock jumped: {jumps}, whose times are left out"
    for missing in log.missing:
        yield f"{missing.what}: {words.count(missing.without)} of {words.count(missing.of)}"
