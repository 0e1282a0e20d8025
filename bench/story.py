"""What stands after a run of responders, put in order: by run, by command, and by who a message is of."""

from collections import defaultdict
from functools import cached_property
from typing import Any, Final

from bench.beds.answered import Entry, Shown, Stands
from bench.beds.speaking import NAMED
from schemas.command import OutboundMessage, Place, RetryAsked, RunRequested
from schemas.effect import EffectConfirmed
from schemas.run import RunState

FINAL: Final = frozenset({"complete", "cancelled", "error"})
Asked = RunRequested | RetryAsked


class Story:
    """What stands, put in order: by run, and by command."""

    def __init__(self, stands: Stands) -> None:
        self.stands = stands

    @cached_property
    def commands(self) -> list[Entry]:
        """Each once, in its order."""
        return list({each.id: each for each in reversed(self.stands.commands)}.values())[::-1]

    @cached_property
    def runs(self) -> dict[str, Entry]:
        """The commands that asked for runs, by run."""
        found: dict[str, Entry] = {}
        for each in self.commands:
            if isinstance(each.event, Asked):
                found.setdefault(each.event.run_id, each)
        return found

    @cached_property
    def places(self) -> dict[str, Place]:
        """Where each command is at home."""
        return {each.id: place_of(each.event) for each in self.commands}

    def question(self, run_id: str) -> int:
        """Which question it answers."""
        event = self.runs[run_id].event
        while isinstance(event, RetryAsked):
            event = self.runs[event.retry_of].event
        return int(NAMED.findall(event.message.content)[-1]) if isinstance(event, RunRequested) else -1

    @cached_property
    def states(self) -> dict[str, set[str]]:
        """The final states of each run."""
        found: dict[str, set[str]] = {run_id: set() for run_id in self.runs}
        for each in self.stands.audit:
            if isinstance(each.event, RunState) and each.event.state in FINAL and each.event.run_id in found:
                found[each.event.run_id].add(each.event.state)
        return found

    def ended(self, state: str) -> list[str]:
        """The runs that ended so, and only so."""
        return [run_id for run_id, states in self.states.items() if states == {state}]

    @cached_property
    def known(self) -> dict[tuple[str, str], str]:
        """The runs and commands that the ledger names for a message, by channel and ts."""
        return {
            (each.event.effect.channel_id or "", each.event.message_ts): each.event.effect.run_id
            or each.event.effect.command_id
            or ""
            for each in self.stands.ledger
            if isinstance(each.event, EffectConfirmed) and each.event.message_ts is not None
        }

    def owner(self, shown: Shown) -> str | None:
        """The run, or other command, that a message is of."""
        mark = shown.marks.get("run_id") or shown.marks.get("command_id")
        return mark or self.known.get((shown.channel, shown.ts))

    @cached_property
    def messages(self) -> dict[str, list[Shown]]:
        """By run or other command, the oldest first."""
        found: dict[str, list[Shown]] = defaultdict(list)
        for each in sorted(self.stands.shown, key=lambda shown: shown.ts):
            owner = self.owner(each)
            if owner is not None:
                found[owner].append(each)
        return found


def place_of(event: Any) -> Place:
    """Where a command is at home."""
    if isinstance(event, OutboundMessage):
        named = ("tenant_id", "connection", "team_id", "channel_id", "thread_ts")
        return Place(**{name: getattr(event, name) for name in named})
    place: Place = event.place
    return place
