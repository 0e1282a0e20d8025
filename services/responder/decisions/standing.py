"""What the ledger says of a run or another command: which calls were meant, and what became of each."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.effect import (
    EffectConfirmed,
    EffectFailed,
    EffectIntended,
    EffectPurpose,
    EffectUnknown,
    LedgerEntry,
    RunSuspended,
)
from services.responder.decisions.effects import Call, call_of


@dataclass
class Standing:
    """The fold of its entries."""

    meant: dict[str, Call] = field(default_factory=dict)
    """By effect id, in the order in which they were meant."""
    confirmed: dict[str, str | None] = field(default_factory=dict)
    """Those that Slack did, with the message's ts where there is one."""
    refused: dict[str, str] = field(default_factory=dict)
    """Those that it did not, for good, with its error."""
    unknown: set[str] = field(default_factory=set)
    """Those of which nobody can tell any more."""
    answers: dict[str, str] = field(default_factory=dict)
    """What tools answered."""
    suspended: dict[int, RunSuspended] = field(default_factory=dict)
    """The times that it waited for people."""

    def take(self, entry: LedgerEntry) -> None:
        """One entry more. Of a repeated call the first word that is final stays."""
        name = entry.effect.effect_id
        match entry:
            case EffectIntended():
                self.meant.pop(name, None)  # what is meant anew stands behind what was meant before
                self.meant[name] = call_of(entry.effect, entry.arguments_json, entry.of_parts)
            case EffectConfirmed(message_ts=ts, answer=answer):
                self.confirmed.setdefault(name, ts)
                if answer is not None:
                    self.answers.setdefault(name, answer)
            case EffectFailed(error=error, final=True):
                self.refused.setdefault(name, error)
            case EffectUnknown():
                self.unknown.add(name)
            case EffectFailed():
                pass
            case RunSuspended():
                self.suspended.setdefault(entry.round, entry)

    def is_settled(self, effect_id: str) -> bool:
        """Whether nothing is left to be found out about a call."""
        return effect_id in self.confirmed or effect_id in self.refused or effect_id in self.unknown

    def of(self, *purposes: EffectPurpose) -> list[Call]:
        """The calls that were meant for one of these."""
        return [each for each in self.meant.values() if each.purpose in purposes]

    @property
    def is_over(self) -> bool:
        """Whether the calls that end the run were all meant, and of none is anything left to be found out."""
        last = self.last_words()
        return bool(last) and all(self.is_settled(each.effect_id) for each in last)

    def last_words(self) -> list[Call]:
        """The calls that end the run, if all of them were meant: then none of another kind may follow.

        An answer of several parts of which only some were meant was never begun: it is asked for anew.
        """
        for purpose in ("stopped", "failed", "answer"):
            meant = self.of(purpose)
            newest = [each for each in meant if each.of_parts == meant[-1].of_parts]
            if newest and len(newest) >= newest[-1].of_parts:
                return newest
        return []


def fold(entries: Iterable[LedgerEntry]) -> dict[str, Standing]:
    """By run, or by command where there is no run."""
    found: dict[str, Standing] = {}
    for entry in entries:
        name = entry.effect.run_id or entry.effect.command_id
        if name is not None:
            found.setdefault(name, Standing()).take(entry)
    return found
