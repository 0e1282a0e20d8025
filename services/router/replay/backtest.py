"""Rules held against a stretch of the log: what each would have matched, and which runs of that are new."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from schemas.decision import Decision, Dispatched, Duplicate, Throttled
from services.router.decisions.event import Event
from services.router.decisions.facts import Rule, Tenant, When
from services.router.decisions.place import message_ts_of, where
from services.router.replay.log import Logged
from services.router.replay.redeciding import Redecided

ComesTo: TypeAlias = Literal["run", "throttled", "duplicate", "no_agent", "nothing"]
"""What comes of it now: a run of the rule, or why the rule's match is none; nothing where the rule does not match."""
BackThen: TypeAlias = Literal["this_rule", "another_run", "no_run"]
"""What had come of it: a run of the same rule, a run that something else asked for, or none."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that a rule meets, or met back then. No words of people."""

    connection: str
    event_id: str
    channel: str | None
    message_ts: str | None
    """None where it is about no message, such as somebody who joins."""
    received_at: datetime
    comes_to: ComesTo
    back_then: BackThen
    agent_id: str | None
    """Who answers, where it is a run."""

    @property
    def name(self) -> str:
        """As `threadline why` takes it."""
        return f"{self.channel}/{self.message_ts}" if self.message_ts is not None else self.event_id

    @property
    def is_more(self) -> bool:
        """Whether it is a run where there was none."""
        return self.comes_to == "run" and self.back_then == "no_run"

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "channel": self.channel,
            "ts": self.message_ts,
            "event_id": self.event_id,
            "connection": self.connection,
            "received_at": self.received_at.isoformat(),
            "comes_to": self.comes_to,
            "back_then": self.back_then,
            "agent": self.agent_id,
        }


@dataclass(slots=True)
class Tried:
    """One rule, over the whole stretch."""

    tenant_id: str
    rule_name: str
    when: When | None
    """None where the directory that is tried does not have it any more."""
    matches: list[Happened] = field(default_factory=list)
    no_longer: list[Happened] = field(default_factory=list)
    """Runs of the rule back then that would be none of its runs now."""
    in_its_threads: Counter[str] = field(default_factory=Counter)
    """By agent, how often somebody would have been answered in a thread that is followed for this rule alone."""

    @property
    def is_answered_anyhow(self) -> bool:
        """Whether its runs would be there without it: a mention is answered in any case."""
        return self.when == "mention"

    @property
    def channels(self) -> dict[str, int]:
        """How often it matches in each."""
        return dict(sorted(Counter(each.channel or "" for each in self.matches).items()))

    def count(self, comes_to: ComesTo, back_then: BackThen | None = None) -> int:
        """How many of its matches come to that, and had come to that back then."""
        return sum(each.comes_to == comes_to and back_then in {None, each.back_then} for each in self.matches)

    @property
    def runs(self) -> Counter[str]:
        """By agent, the runs that are there because of it."""
        started = Counter(each.agent_id or "" for each in self.matches if each.comes_to == "run")
        return Counter() if self.is_answered_anyhow else started + self.in_its_threads

    @property
    def more_runs(self) -> Counter[str]:
        """By agent, those of them that there were not back then."""
        started = Counter(each.agent_id or "" for each in self.matches if each.is_more)
        return Counter() if self.is_answered_anyhow else started + self.in_its_threads


@dataclass(slots=True)
class _Thing:
    """Something that somebody did. Slack may tell of it twice, so that it may be decided twice."""

    tenant_id: str
    told: tuple[str, str, str | None, str | None, datetime]
    """By which connection, in which delivery, where, by which message, and when."""
    rule: Rule | None = None
    comes_to: ComesTo = "nothing"
    agent_id: str | None = None
    was_run: bool = False
    was_of: str | None = None
    """The rule whose run it was back then."""

    def happened(self, rule_name: str) -> Happened:
        """As it looks to one rule."""
        is_met = self.rule is not None and self.rule.name == rule_name
        otherwise: BackThen = "another_run" if self.was_run else "no_run"
        return Happened(
            *self.told,
            comes_to=self.comes_to if is_met else "nothing",
            back_then="this_rule" if self.was_of == rule_name else otherwise,
            agent_id=self.agent_id if is_met else None,
        )


class Backtest:
    """Takes records as they are decided again, and keeps what rules of some tenants have to do with."""

    def __init__(self, tenants: Iterable[Tenant]) -> None:
        self._rules = {each.id: {rule.name: rule for rule in each.rules} for each in tenants}
        self._things: dict[tuple[str, str], _Thing] = {}
        """By connection and cause."""
        self._opened: dict[tuple[str, str | None, str | None], tuple[str, str]] = {}
        """Threads that are followed for a rule alone: by connection, channel and thread, whose and which rule."""
        self._in_threads: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def take(self, each: Logged, again: Redecided) -> None:
        """One record more."""
        event, tenant_id = again.opened.event, again.tenant_id
        if event is None or tenant_id is None or tenant_id not in self._rules:
            return
        before = each.recorded.decision if each.recorded is not None else None
        self._take_thread(event, again.decision, before)
        thing = self._thing(event, tenant_id, again, before)
        if thing is None:
            return
        if isinstance(before, Dispatched):
            thing.was_run, thing.was_of = True, before.rule_name
        rule = again.outcome.rule
        if rule is not None:
            thing.rule, thing.comes_to = rule, _comes_to(again.decision)
            thing.agent_id = again.decision.agent_id if isinstance(again.decision, Dispatched) else None
            if thing.comes_to == "run" and not thing.was_run and rule.when != "mention":
                self._opened[event.connection, *where(event)] = (tenant_id, rule.name)

    def _thing(self, event: Event, tenant_id: str, again: Redecided, before: Decision | None) -> _Thing | None:
        """What was done, where a rule has to do with it now, or had back then."""
        key = (event.connection, event.cause.name)
        was_ruled = isinstance(before, Dispatched) and before.rule_name is not None
        if key not in self._things and (again.outcome.rule is not None or was_ruled):
            channel, ts = where(event)[0], message_ts_of(event)
            told = (event.connection, event.event_id, channel, ts, event.received_at)
            self._things[key] = _Thing(tenant_id, told)
        return self._things.get(key)

    def _take_thread(self, event: Event, decision: Decision, before: Decision | None) -> None:
        """A run in a thread that is followed for a rule alone is there because of that rule."""
        if isinstance(decision, Dispatched) and decision.trigger == "thread" and not isinstance(before, Dispatched):
            whose = self._opened.get((event.connection, *where(event)))
            if whose is not None:
                self._in_threads[whose][decision.agent_id] += 1

    def tried(self) -> list[Tried]:
        """Every rule that is switched on, and every other one that had a run back then; by tenant and name."""
        found = {
            (tenant_id, name): Tried(tenant_id, name, rule.when)
            for tenant_id, rules in self._rules.items()
            for name, rule in rules.items()
        }
        for thing in self._things.values():
            for name in _concerned(thing):
                tried = found.setdefault((thing.tenant_id, name), Tried(thing.tenant_id, name, None))
                happened = thing.happened(name)
                if happened.comes_to != "nothing":
                    tried.matches.append(happened)
                if happened.comes_to != "run" and happened.back_then == "this_rule":
                    tried.no_longer.append(happened)
        for whose, counts in self._in_threads.items():
            found[whose].in_its_threads.update(counts)
        for tried in found.values():
            tried.matches.sort(key=_order)
            tried.no_longer.sort(key=_order)
        return [found[whose] for whose in sorted(found)]


def _concerned(thing: _Thing) -> Iterator[str]:
    """The rule that matches, and the one whose run it was."""
    if thing.rule is not None:
        yield thing.rule.name
    if thing.was_of is not None and (thing.rule is None or thing.rule.name != thing.was_of):
        yield thing.was_of


def _order(happened: Happened) -> tuple[str, datetime, str]:
    return happened.channel or "", happened.received_at, happened.name


def _comes_to(decision: Decision) -> ComesTo:
    """What a decision comes to for the rule that matched."""
    match decision:
        case Dispatched():
            return "run"
        case Throttled():
            return "throttled"
        case Duplicate():
            return "duplicate"
        case _:
            return "no_agent"
