"""The figures of `./dev bench supervisor`, each beside its goal."""

from bench.figure import Figure, Goal
from bench.suite import Measured

Line = tuple[str, str, str, Goal | None]
"""What a run calls it, what people read, its unit, and its goal."""

SECTIONS: dict[str, tuple[Line, ...]] = {
    "1,000 agents, a report each second, into one process": (
        ("ingest p50", "a report, until it is durable and answered, p50", "ms", None),
        ("ingest p99", "a report, until it is durable and answered, p99", "ms", Goal("<=", 50)),
        (
            "bare p50",
            "before a door that only writes (aiohttp and aiokafka; nothing is checked or folded), p50",
            "ms",
            None,
        ),
        ("bare p99", "the same, p99", "ms", None),
        ("bare cpu", "CPU of that door, of one core", "%", None),
        ("starts p99", "a report of the 1,000 that begin in the first second, p99", "ms", None),
        ("not taken", "reports that were not taken", "", Goal("==", 0)),
        ("folded after", "from the last report until all stand in the tables", "s", None),
        ("cpu", "CPU of the supervisor, of one core", "%", None),
        ("rss", "memory of the supervisor", "MB", None),
        ("late p99", "how late the agents' process sent, p99", "ms", None),
        ("loader cpu", "CPU of the agents' process, of one core", "%", None),
    ),
    "What Slack hears of it": (
        ("posts", "messages a minute, in 20 workspaces", "", None),
        ("updates", "changes a minute, in 20 workspaces", "", None),
        ("too fast", "calls that Slack refused for coming too fast", "", Goal("==", 0)),
        ("ends shown p50", "100 tasks end at once: until Slack shows how, p50", "s", None),
        ("ends shown last", "the same, the last of them", "s", None),
    ),
    "Approvals": (
        ("approval p50", "from the click until the agent goes on, p50", "ms", None),
        ("approval p99", "from the click until the agent goes on, p99", "ms", Goal("<=", 300)),
    ),
    "What a supervised program pays": (
        ("call p50", "a checkpoint's call, a thousand a second, p50", "µs", None),
        ("call p99", "a checkpoint's call, a thousand a second, p99", "µs", Goal("<=", 20)),
        ("log p50", "a line to the program's own log, by `logging.handlers.QueueHandler`, likewise, p50", "µs", None),
        ("log p99", "the same, p99", "µs", None),
        ("call alone p50", "a checkpoint's call after a pause of 20 ms, p50", "µs", None),
        ("call alone p99", "the same, p99", "µs", None),
        ("log alone p50", "a line to the log after a pause of 20 ms, p50", "µs", None),
        ("log alone p99", "the same, p99", "µs", None),
        ("outbox", "memory of an outbox that is full", "MiB", Goal("<=", 5)),
        ("outbox events", "events in it", "", None),
        ("import", "`import threadline_agent`", "ms", Goal("<=", 100)),
    ),
    "Tables made anew": (
        ("events", "events in the topic", "", Goal(">=", 200_000)),
        ("rebuild", "`threadline supervisor rebuild`", "events/s", Goal(">=", 20_000)),
        ("rebuild rss", "its memory", "MB", None),
        ("live fold", "a supervisor that starts with all of it unread", "events/s", None),
        ("tables that differ", "tables that are otherwise than before", "", Goal("==", 0)),
    ),
}


def by_section(measured: list[Measured]) -> dict[str, list[Figure]]:
    """What was measured of each."""
    return {
        heading: [
            Figure(words, unit, tuple(each.figures[name] for each in measured), goal)
            for name, words, unit, goal in lines
            if all(name in each.figures for each in measured)
        ]
        for heading, lines in SECTIONS.items()
    }


def judge(measured: list[Measured]) -> list[Figure]:
    """All of them."""
    return [figure for found in by_section(measured).values() for figure in found]
