"""What was said in a thread before: asked of Slack once, then kept up from what passes through here."""

import logging
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final

from services.kit.clock import Clock
from services.responder.adapters.ledger import Ledger
from services.responder.adapters.slack import NotSent, NoWay, Refused, TooFast, Unsure
from services.responder.decisions.effects import Subject, effect_of_message
from services.responder.decisions.prompting import Said, by_person, merged, moment
from services.responder.decisions.showing import markdown_in

log = logging.getLogger(__name__)

MOST_THREADS: Final = 2_000
MOST_MESSAGES: Final = 1_000
MOST_READ: Final = 5_000
"""Slack tells a thread from its beginning on: the last of it comes last."""
FRESH_S: Final = 1800.0
"""People may write in a thread without asking anybody: after so long it is read again."""
PAGE: Final = 200


class History:
    """The threads that were asked in lately."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._threads: OrderedDict[str, tuple[float, list[Said]]] = OrderedDict()

    async def before(self, subject: Subject, ts: str | None) -> list[Said]:
        """What was said in the thread before a message."""
        if subject.thread_ts is None or subject.thread_ts == ts:
            return []
        known = self._threads.get(subject.key)
        if known is None or self._clock.monotonic() - known[0] > FRESH_S:
            try:
                found = await self._read(subject)
            except (Refused, TooFast, NotSent, Unsure, NoWay) as error:
                log.warning(
                    "a thread cannot be read (%s: %s); its agent knows only what it saw", type(error).__name__, error
                )
            else:
                self._keep(subject.key, merged([*(known[1] if known else []), *found]), self._clock.monotonic())
        _, said = self._threads.get(subject.key, (0.0, []))
        return [each for each in said if ts is None or each.ts is None or moment(each.ts) < moment(ts)]

    def forget(self) -> None:
        """Others had these threads meanwhile: all are read again."""
        self._threads.clear()

    def add(self, key: str, said: Iterable[Said]) -> None:
        """It was said just now."""
        known = self._threads.get(key)
        if known is not None:
            self._keep(key, merged([*known[1], *said]), known[0])

    def begin(self, key: str, said: Iterable[Said]) -> None:
        """A thread that begins here: nothing was said before."""
        if key not in self._threads:
            self._keep(key, list(said), self._clock.monotonic())

    def _keep(self, key: str, said: list[Said], read_at: float) -> None:
        self._threads[key] = (read_at, said[-MOST_MESSAGES:])
        self._threads.move_to_end(key)
        while len(self._threads) > MOST_THREADS:
            self._threads.popitem(last=False)

    async def _read(self, subject: Subject) -> list[Said]:
        asked: dict[str, Any] = {
            "channel": subject.channel_id,
            "ts": subject.thread_ts,
            "include_all_metadata": "true",
            "limit": PAGE,
        }
        found: list[Said] = []
        while len(found) < MOST_READ:
            data = await self._page(subject, asked)
            messages = data.get("messages")
            found += [said for each in (messages if isinstance(messages, list) else []) if (said := _said(each))]
            cursor = (data.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
            asked["cursor"] = cursor
        return found

    async def _page(self, subject: Subject, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._ledger.read(subject, "conversations.replies", asked)
        except (TooFast, NotSent, Unsure):
            return await self._ledger.read(subject, "conversations.replies", asked)  # the gate waits as Slack wants


def _said(message: Any) -> Said | None:
    """A message as a model is shown it. What only says that an agent thinks is nothing that was said."""
    if not isinstance(message, dict) or not isinstance(ts := message.get("ts"), str):
        return None
    text = message.get("text")
    if effect_of_message(message) is not None:
        said = markdown_in(message)
        return Said("agent", said, ts=ts) if said else None
    if not isinstance(text, str) or not text.strip():
        return None
    who = message.get("user") or message.get("bot_id") or "somebody"
    return Said("person", by_person(str(who), text), str(who), ts)
