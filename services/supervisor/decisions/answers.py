"""What became in Slack of what was handed over: what Slack refused is said again, each time after a longer pause."""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from schemas.buttons import PREFIX
from schemas.effect import EffectConfirmed, EffectFailed, LedgerEntry
from services.supervisor.decisions.projecting import Key
from services.supervisor.decisions.telling import Told

MOST: Final = 20_000
_HEAD: Final = f"{PREFIX}task:"


@dataclass(frozen=True)
class _Answer:
    message: str
    error: str | None
    at: datetime


@dataclass
class Answers:
    """The last one about each post. It may be here before it is known that its message was handed over."""

    _last: OrderedDict[tuple[Key, str], _Answer] = field(default_factory=OrderedDict)

    def take(self, entry: LedgerEntry) -> Key | None:
        """The task of which a post is settled by an entry of the ledger, if one is."""
        if not isinstance(entry, EffectConfirmed | EffectFailed):
            return None
        effect = entry.effect
        head = effect.thread_of or effect.post_id
        if effect.post_id is None or effect.command_id is None or head is None or not head.startswith(_HEAD):
            return None
        key = effect.tenant_id, head.removeprefix(_HEAD).partition("#")[0]
        error = entry.error if isinstance(entry, EffectFailed) else None
        self._last[key, effect.post_id] = _Answer(effect.command_id, error, entry.at)
        self._last.move_to_end((key, effect.post_id))
        if len(self._last) > MOST:
            self._last.popitem(last=False)
        return key

    def settle(self, key: Key, told: dict[str, Told]) -> dict[str, str]:
        """Notes in what was told of a task how that went. Gives what is known to be refused only now, and why."""
        refused: dict[str, str] = {}
        for name, said in told.items():
            answer = self._last.get((key, name))
            if answer is None or answer.message != said.message:
                continue
            if answer.error is None and said.refusals:
                told[name] = replace(said, refusals=0, refused_at=None)
            elif answer.error is not None and not said.refusals:
                told[name] = replace(said, refusals=1, refused_at=answer.at)
                refused[name] = answer.error
        return refused
