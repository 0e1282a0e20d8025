"""Holds every effect against its cause: the same tenant, connection and team all the way, or a violation."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.lines import Kept, attribute

EFFECTS: Final = "slack.effects"
COMMANDS: Final = "runs.commands"
RUNS: Final = "audit.runs"
DECISIONS: Final = "audit.decisions"
_OUTBOUND: Final = "message.requested"


class NoFact(ValueError):
    """A record that does not say whose it is."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose something is. A decision and a run's start name no team; what one of two does not say cannot differ."""

    tenant: str | None
    connection: str | None
    team: str | None

    def apart(self, cause: "Whose") -> Iterator[str]:
        """In what it differs from its cause."""
        for what, mine, its in (
            ("tenant", self.tenant, cause.tenant),
            ("connection", self.connection, cause.connection),
            ("team", self.team, cause.team),
        ):
            if mine is not None and its is not None and mine != its:
                yield f"{what} {mine} and not {its}"


@dataclass(frozen=True, slots=True)
class Fact:
    """What one record says of whose it is, by which names it is found, and by which it finds its causes."""

    whose: Whose
    where: str
    kind: str
    record_id: str | None = None
    run_id: str | None = None
    command_id: str | None = None
    sent: tuple[str, ...] = ()


@dataclass
class Facts:
    """All of a stretch, each where it belongs."""

    effects: list[Fact] = field(default_factory=list)
    commands: list[Fact] = field(default_factory=list)
    starts: list[Fact] = field(default_factory=list)
    decisions: list[Fact] = field(default_factory=list)

    def add(self, record: Kept) -> None:
        """Takes in a record of these topics; those of others, and events that say nothing of it, are passed over."""
        match record.topic:
            case "slack.effects":
                self.effects.append(_effect(record))
            case "runs.commands":
                self.commands.append(_command(record))
            case "audit.runs":
                event = _event(record)
                if event.get("type") == "run.state" and event.get("state") == "start":
                    self.starts.append(_start(record, event))
            case "audit.decisions":
                self.decisions.append(_decision(record))
            case _:
                pass


@dataclass(frozen=True)
class Violation:
    """An effect, a command or a run that is not its cause's."""

    where: str
    cause: str
    apart: tuple[str, ...]


@dataclass
class Found:
    """What came of it."""

    held: Counter[str] = field(default_factory=Counter)
    """How many were held against what."""
    violations: list[Violation] = field(default_factory=list)
    not_held: dict[str, list[str]] = field(default_factory=dict)
    """Why, and where each of them stands."""


def found_in(facts: Facts) -> Found:
    """Every effect against its command and its run's start; each of these against the decision that led to it."""
    found = Found()
    commands, runs = _by((each.record_id, each) for each in facts.commands), _by(_of_runs(facts.commands))
    starts = _by((each.run_id, each) for each in facts.starts)
    decisions = _by((name, each) for each in facts.decisions for name in (*each.sent, each.run_id))
    for effect in facts.effects:
        theirs = commands.get(effect.command_id or "") or runs.get(effect.run_id or "", [])
        begun = starts.get(effect.run_id or "", [])
        _hold(found, "effects against their commands", effect, theirs)
        _hold(found, "effects against their runs' starts", effect, begun)
        if not theirs and not begun:
            _tell(found, "effects whose command and run are not in this stretch", effect)
    for what, each in (
        *(("commands", each) for each in facts.commands),
        *(("runs' starts", each) for each in facts.starts),
    ):
        decided = decisions.get(each.record_id or "") or decisions.get(each.run_id or "", [])
        _hold(found, f"{what} against their decisions", each, decided)
        if not decided:
            said = "messages of programs, which no decision leads to" if each.kind == _OUTBOUND else None
            _tell(found, said or f"{what} whose decision is not in this stretch", each)
    return found


def _of_runs(commands: Iterable[Fact]) -> Iterator[tuple[str | None, Fact]]:
    """Those that a run begins with. A click on "Why?" names a run, too, and is another command."""
    return ((each.run_id, each) for each in commands if each.kind in {"run.requested", "retry.asked"})


def _by(named: Iterable[tuple[str | None, Fact]]) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = {}
    for name, fact in named:
        if name is not None:
            found.setdefault(name, []).append(fact)
    return found


def _hold(found: Found, what: str, effect: Fact, causes: list[Fact]) -> None:
    if causes:
        found.held[what] += 1
    for cause in causes:
        apart = tuple(effect.whose.apart(cause.whose))
        if apart:
            found.violations.append(Violation(effect.where, cause.where, apart))


def _tell(found: Found, why: str, fact: Fact) -> None:
    found.not_held.setdefault(why, []).append(fact.where)


def _effect(record: Kept) -> Fact:
    effect = _part(_event(record), "effect")
    command_id, run_id = effect.get("command_id"), effect.get("run_id")
    return Fact(_whose(effect), record.where, "effect", run_id=_name(run_id), command_id=_name(command_id))


def _command(record: Kept) -> Fact:
    event = _event(record)
    place = event if event.get("type") == _OUTBOUND else _part(event, "place")
    return Fact(
        _whose(place),
        record.where,
        str(event.get("type")),
        record_id=attribute(record.headers, "ce_id"),
        run_id=_name(event.get("run_id")),
    )


def _start(record: Kept, event: dict[str, Any]) -> Fact:
    record_id = attribute(record.headers, "ce_id")
    return Fact(
        _whose(event, team=False), record.where, "start", record_id=record_id, run_id=_name(event.get("run_id"))
    )


def _decision(record: Kept) -> Fact:
    event = _event(record)
    decision = _part(event, "decision")
    run_id = decision.get("run_id") if decision.get("kind") == "dispatched" else None
    sent = event.get("sent")
    if not isinstance(sent, list):
        sent = []
    whose = Whose(_name(event.get("tenant_id")), _name(event.get("connection")), None)
    return Fact(whose, record.where, "decision", run_id=_name(run_id), sent=tuple(map(str, sent)))


def _whose(said: dict[str, Any], *, team: bool = True) -> Whose:
    names = ("tenant_id", "connection", "team_id") if team else ("tenant_id", "connection")
    lacking = [name for name in names if _name(said.get(name)) is None]
    if lacking:
        raise NoFact(f"it names no {' and no '.join(lacking)}")
    return Whose(said["tenant_id"], said["connection"], said["team_id"] if team else None)


def _event(record: Kept) -> dict[str, Any]:
    try:
        event = json.loads(record.value or b"")
    except (ValueError, RecursionError):
        raise NoFact("it is no JSON") from None
    if not isinstance(event, dict):
        raise NoFact("it is no JSON object")
    return event


def _part(event: dict[str, Any], name: str) -> dict[str, Any]:
    part = event.get(name)
    if not isinstance(part, dict):
        raise NoFact(f"it has no {name}")
    return part


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
