"""What is claimed of the whole way: each figure with its goal, and the usual way beside it."""

from collections.abc import Iterator

from bench.figure import Figure, Goal, Peer, percentile
from bench.suite import Measured

RATES = (10, 50, 100)
SLOW = "10/s, first word after 3 s"
BURST = "600 events in 1.5 s"
WORKSPACES = 200
CROWDS = (200, 20, 1)
USUAL = "Bolt + Celery"
BEGUN = "answers begun"
"""A second, whatever was offered."""
KEPT_UP = 0.95
"""Of the rate that was offered, whoever keeps it begins so much."""
ACKS, MODEL, MESSAGE, END = (
    "event to acknowledgement",
    "event to the model's call",
    "event to “Thinking…”",
    "last word to the last call",
)
KINDS = {ACKS: "ack", MODEL: "model", MESSAGE: "message", END: "end"}
GOALS = {
    (ACKS, "100/s"): (3, 15),
    (MODEL, "50/s"): (15, 60),
    (END, "50/s"): (5, 20),
    (MODEL, SLOW): (None, 100),
}
SERVICES = ("ingress", "router", "responder")
SERVICES_MB = 450


class Runs:
    """What every run gave."""

    def __init__(self, measured: list[Measured]) -> None:
        self._measured = measured

    def figure(self, name: str, unit: str, key: str, goal: Goal | None = None) -> Figure:
        """One of ours, with the usual way's of the same name beside it."""
        return self.of(name, unit, (key,), goal)

    def of(self, name: str, unit: str, keys: tuple[str, ...], goal: Goal | None = None) -> Figure:
        """The sum of several."""
        theirs = self.values("usual", keys)
        peer = Peer(USUAL, percentile(theirs, 50)) if theirs else None
        return Figure(name, unit, self.values("threadline", keys), goal, peer)

    def whole(self, name: str, unit: str, what: str, goal: Goal | None = None) -> Figure:
        """All processes together; of ours the services where the goal is about them."""
        ours = SERVICES if goal else self.parts("threadline", what)
        theirs = ("bolt", "celery") if goal else self.parts("usual", what)
        beside = self.values("usual", tuple(f"{what} {part}" for part in theirs))
        values = self.values("threadline", tuple(f"{what} {part}" for part in ours))
        return Figure(name, unit, values, goal, Peer(USUAL, percentile(beside, 50)) if beside else None)

    def parts(self, side: str, what: str) -> tuple[str, ...]:
        """The processes of a side."""
        begin = f"{side} {what} "
        return tuple(key.removeprefix(begin) for key in self._measured[0].figures if key.startswith(begin))

    def values(self, side: str, keys: tuple[str, ...]) -> tuple[float, ...]:
        """One for each run; nothing where the side was not there."""
        if f"{side} {keys[0]}" not in self._measured[0].figures if keys else True:
            return ()
        return tuple(sum(each.figures[f"{side} {key}"] for key in keys) for each in self._measured)


def judge(measured: list[Measured]) -> list[Figure]:
    """Every figure, in the order in which it is read."""
    return [figure for found in by_section(measured).values() for figure in found]


def by_section(measured: list[Measured]) -> dict[str, list[Figure]]:
    """The same, under headings."""
    runs = Runs(measured)
    return {
        "How long people wait": [*_waits(runs)],
        "Which rates are kept": [*_rates(runs)],
        "Growth": [*_growth(runs)],
        "Memory": [*_memory(runs)],
        "CPU": [*_cpu(runs)],
        "The bench itself": [*_bed(runs)],
    }


def _waits(runs: Runs) -> Iterator[Figure]:
    for kind, short in KINDS.items():
        for load in (*(f"{rate}/s" for rate in RATES), SLOW):
            for percent, bound in zip(("p50", "p99"), GOALS.get((kind, load), (None, None)), strict=True):
                goal = Goal("<=", bound) if bound is not None else None
                yield runs.figure(f"{kind}, {load}, {percent}", "ms", f"{load} {short} {percent}", goal)


def _rates(runs: Runs) -> Iterator[Figure]:
    for rate in RATES:
        goal = Goal(">=", KEPT_UP * rate)
        yield runs.figure(f"{BEGUN} at {rate}/s", "/s", f"{rate}/s per second", goal)
    yield runs.figure(f"{BEGUN} at {SLOW}", "/s", f"{SLOW} per second", Goal(">=", KEPT_UP * 10))


def _growth(runs: Runs) -> Iterator[Figure]:
    yield runs.figure(f"{BURST}: {BEGUN}", "/s", f"{BURST} per second")
    two = runs.values("threadline", (f"{BURST}, two per second",))
    yield Figure(f"{BURST}, two routers and responders: {BEGUN}", "/s", two)
    for count in sorted(CROWDS):
        of = f"of {count} workspace" + "s" * (count > 1)
        for percent in ("p50", "p99"):
            yield runs.figure(f"{MODEL}, 4/s {of}, {percent}", "ms", f"{count} workspaces model {percent}")


def _memory(runs: Runs) -> Iterator[Figure]:
    yield runs.whole("memory, services together", "MB", "rss", Goal("<=", SERVICES_MB))
    yield runs.whole("memory, with brokers and database", "MB", "rss")
    yield runs.whole("the same, what is shared counted once", "MB", "pss")
    yield from _each_part(runs, "memory", "MB", "rss")


def _cpu(runs: Runs) -> Iterator[Figure]:
    yield runs.whole("CPU for each event, all processes", "ms", "cpu")
    yield from _each_part(runs, "CPU for each event", "ms", "cpu")
    yield runs.whole("CPU a second, with nothing to do", "ms", "idle")


def _each_part(runs: Runs, name: str, unit: str, what: str) -> Iterator[Figure]:
    for side, of in (("threadline", ""), ("usual", f" ({USUAL})")):
        for part in runs.parts(side, what):
            yield Figure(f"{name}: {part}{of}", unit, runs.values(side, (f"{what} {part}",)))


def _bed(runs: Runs) -> Iterator[Figure]:
    yield runs.figure("the bench's Slack and model: CPU for each event, 100/s", "ms", "100/s slack cpu")
    yield runs.figure("the bench's Slack: how late it sends, 100/s, p99", "ms", "100/s late p99")
