"""The gates held against a plain model: the same sequences of events, and the same that becomes of them."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decision import Throttled
from schemas.run import RunState
from services.router.decisions.facts import Limit
from tests.deciding import Deciding, Told, mention, message

CAPACITY, PER_MINUTE = 1, 6


@dataclass(frozen=True)
class Step:
    """Something comes in."""

    wait_s: int
    half: str
    ts: int
    thread: int | None
    user: str
    event: int
    workspace: str
    text: str


STEPS = st.builds(
    Step,
    wait_s=st.sampled_from([0, 0, 0, 1, 9, 10, 59, 1799, 1800, 3599, 3600, 86_399]),
    half=st.sampled_from(["app_mention", "message", "dm"]),
    ts=st.integers(1, 9),
    thread=st.none() | st.integers(1, 5),
    user=st.sampled_from(["UANNA", "UBEN", "UBOT"]),
    event=st.integers(1, 40),
    workspace=st.sampled_from(["T1", "T1", "T2"]),
    text=st.sampled_from(["<@UBOT> hi", "hi", "stop", "<@UBOT> stop"]),
)


@dataclass
class Plain:
    """What should become of them, written down as simply as can be: everything is kept for ever, with its time."""

    now: float = 0.0
    events: dict[tuple[str, str], float] = field(default_factory=dict)
    causes: dict[tuple[str, str], float] = field(default_factory=dict)
    threads: dict[tuple[str, str, str], float] = field(default_factory=dict)
    granted: dict[str, list[float]] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)
    filled: dict[str, float] = field(default_factory=dict)

    def becomes(self, step: Step) -> str:
        self.now += step.wait_s
        where, name = step.workspace, f"Ev{step.event}"
        if self.now - self.events.get((where, name), -1e9) < 3600:
            return "duplicate"
        self.events[where, name] = self.now
        if step.user == "UBOT":
            return "ignored"
        channel = "D1" if step.half == "dm" else "C1"
        ts = f"{step.ts}.000001"
        thread = f"{step.thread}.000001" if step.thread is not None else ts
        spoken_to = step.half in {"app_mention", "dm"} or "<@UBOT>" in step.text
        followed = self.now - self.threads.get((where, channel, thread), -1e9) < 1800
        cause = f"{channel} {ts}"
        is_stop = "stop" in step.text and (spoken_to or (step.thread is not None and followed))
        if not (is_stop or spoken_to or followed):
            return "ignored"
        if self.now - self.causes.get((where, cause), -1e9) < 86_400:
            return "duplicate"
        if is_stop:
            self.causes[where, cause] = self.now
            return "control"
        return self._run(where, cause, (where, channel, thread))

    def _run(self, where: str, cause: str, thread: tuple[str, str, str]) -> str:
        level = self.tokens.get(where, float(CAPACITY))
        level = min(float(CAPACITY), level + (self.now - self.filled.get(where, self.now)) * PER_MINUTE / 60)
        self.filled[where], self.tokens[where] = self.now, level
        if level < 1 - 1e-9:
            return "throttled"
        self.tokens[where] = level - 1
        self.granted.setdefault(where, []).append(self.now)
        self.causes[where, cause] = self.now
        self.threads[thread] = self.now
        return "dispatched"


def come_in(router: Deciding, step: Step) -> Told:
    router.wait(step.wait_s)
    ts = f"{step.ts}.000001"
    more: dict[str, str] = {"user": step.user}
    if step.thread is not None:
        more["thread_ts"] = f"{step.thread}.000001"
    auth = [{"team_id": step.workspace, "user_id": "UBOT", "is_bot": True}]
    outer = {"event_id": f"Ev{step.event}", "authorizations": auth, "team_id": step.workspace}
    if step.half == "app_mention":
        return router.event(mention(step.text, ts, **more), **outer)
    place = {"channel": "D1", "channel_type": "im"} if step.half == "dm" else {}
    return router.event(message(step.text, ts, **{**more, **place}), **outer)


def tight() -> Deciding:
    router = Deciding()
    router.has(limits=(Limit("connection", PER_MINUTE, CAPACITY),), homes=frozenset({"T1", "T2"}))
    return router


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_every_sequence_becomes_what_the_model_says(steps: list[Step]) -> None:
    router, plain = tight(), Plain()
    told = [(step, come_in(router, step).kind, plain.becomes(step)) for step in steps]
    assert [kind for _, kind, _ in told] == [expected for _, _, expected in told], told


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_one_cause_has_one_run_and_each_record_a_name_of_its_own(steps: list[Step]) -> None:
    router = tight()
    told = [come_in(router, step) for step in steps]
    started = [fact.run_id for each in told for fact in each.facts if isinstance(fact, RunState) and fact.run_id]
    days = sum(step.wait_s for step in steps) / 86_400
    assert len(started) == len(set(started)) or days >= 1
    names = [record.id for each in told for record in each.sent]
    assert len(names) == len(set(names))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["T1", "T2"])), min_size=1, max_size=80))
def test_no_window_grants_more_than_its_capacity_and_what_fills_in_it(asks: list[tuple[int, str]]) -> None:
    router, granted, now = tight(), dict[str, list[float]](), 0.0
    for wait_s, workspace in asks:
        now += wait_s
        step = Step(wait_s, "app_mention", 1, None, "UANNA", 1, workspace, "<@UBOT> hi")
        router.number += 1
        auth = [{"team_id": workspace, "user_id": "UBOT", "is_bot": True}]
        router.wait(step.wait_s)
        told = router.event(mention("<@UBOT> hi", router.ts()), authorizations=auth, team_id=workspace)
        if told.kind == "dispatched":
            granted.setdefault(workspace, []).append(now)
        else:
            assert isinstance(told.decision, Throttled)
    for times in granted.values():
        for first in range(len(times)):
            for last in range(first, len(times)):
                window = times[last] - times[first]
                assert last - first + 1 <= CAPACITY + PER_MINUTE / 60 * window + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=30), st.integers(0, 29))
def test_a_router_that_was_started_anew_decides_the_same(steps: list[Step], at: int) -> None:
    """Its memory is the fold of the rows, and they hold all that there is to remember."""
    once, twice = tight(), tight()
    rows = {}
    for number, step in enumerate(steps):
        one, other = come_in(once, step), come_in(twice, step)
        assert one.decision == other.decision
        row = twice.memory.row(number)
        assert row is not None
        rows[number] = row
        if number == at:
            twice.memory = type(twice.memory)(rows)
