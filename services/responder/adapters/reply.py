"""What one run shows in Slack: that it thinks, the text as it grows, and the last words."""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from schemas.effect import EffectPurpose
from services.responder.adapters.ledger import EffectRefused, Ledger
from services.responder.decisions import showing, words
from services.responder.decisions.effects import Call, Subject, call
from services.responder.decisions.harmless import harmless
from services.responder.decisions.pace import Urgency, edit_pause_s
from services.responder.decisions.splitting import LONGEST, split
from services.responder.decisions.standing import Standing

log = logging.getLogger(__name__)

TOO_MUCH: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
"""Slack does not take the message as it is shown; as plain words it may."""
PLAIN: Final = 1000
"""Added to a part's number for the same words without blocks."""


@dataclass
class Reply:
    """One run's."""

    ledger: Ledger
    subject: Subject
    run_id: str
    may_be_named: Collection[str] = ()
    ts: str | None = None
    """The message that is written."""
    posted: set[str] = field(default_factory=set)
    """Every message of the run."""
    _text: str = ""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _editing: "asyncio.Task[None] | None" = None

    async def begin(self, standing: Standing) -> None:
        """Says that it thinks, in the message that becomes the answer."""
        before = standing.of("placeholder")
        if before:
            self.ts = await self.ledger.settle(self.subject, standing, before[0])
        else:
            shown = showing.thinking(words.THINKING, self.run_id)
            made = self._post("placeholder", shown)
            self.ts = await self.ledger.do(self.subject, made, Urgency.FIRST)
        if self.ts is not None:
            self.posted.add(self.ts)

    def grow(self, text: str) -> None:
        """The text so far. It is shown when that is due."""
        self._text = text
        self._changed.set()
        if self._editing is None and self.ts is not None:
            self._editing = asyncio.create_task(self._edit())

    async def finish(self, markdown: str, footer: str | None) -> None:
        """The last words of an answer."""
        parts = split(harmless(markdown, self.may_be_named), LONGEST)
        last = len(parts) - 1
        shown = [
            showing.answer(part, self.run_id if number == last else None, footer if number == last else None)
            for number, part in enumerate(parts)
        ]
        await self._say("answer", shown)

    async def end(self, purpose: EffectPurpose, markdown: str, *, may_retry: bool = False) -> None:
        """The last words where there is no whole answer: what was written is kept."""
        text = harmless(markdown, self.may_be_named)
        parts = split(text, LONGEST)
        shown = [showing.answer(part, None) for part in parts[:-1]]
        await self._say(purpose, [*shown, showing.ended(parts[-1], self.run_id, may_retry=may_retry)])

    async def say_again(self, standing: Standing, calls: list[Call]) -> None:
        """Ends what somebody before us began to say."""
        for each in calls:
            ts = await self._settled(standing, each)
            if ts is not None:
                self.posted.add(ts)

    async def _settled(self, standing: Standing, each: Call) -> str | None:
        try:
            return await self.ledger.settle(self.subject, standing, each)
        except EffectRefused as refused:
            if refused.code not in TOO_MUCH:
                raise
            plain = self._plainly(each)
            return (
                None if plain.effect_id in standing.meant else await self.ledger.do(self.subject, plain, Urgency.LAST)
            )

    async def leave(self) -> None:
        """Shows nothing more."""
        if self._editing is not None:
            self._editing.cancel()
            await asyncio.gather(self._editing, return_exceptions=True)
            self._editing = None

    async def _say(self, purpose: EffectPurpose, shown: list[showing.Shown]) -> None:
        await self.leave()
        calls = []
        for number, part in enumerate(shown):
            if number == 0 and self.ts is not None:
                arguments = {"ts": self.ts, **_without_previews(part)}
                calls.append(call(self.subject, "chat.update", purpose, arguments, of_parts=len(shown)))
            else:
                calls.append(self._post(purpose, part, number, len(shown)))
        await self.ledger.intend(self.subject, calls)
        for each in calls:
            try:
                ts = await self.ledger.carry_out(self.subject, each, Urgency.LAST)
            except EffectRefused as refused:
                if refused.code not in TOO_MUCH:
                    raise
                log.warning("Slack does not take the blocks of an answer; it is said in plain words")
                ts = await self.ledger.do(self.subject, self._plainly(each), Urgency.LAST)
            if ts is not None:
                self.posted.add(ts)

    def _plainly(self, refused: Call) -> Call:
        arguments = {name: value for name, value in refused.arguments.items() if name != "metadata"}
        arguments["blocks"] = []
        number = PLAIN + int(refused.effect_id[:4], 16)
        return call(self.subject, refused.method, refused.purpose, arguments, part=number)

    def _post(self, purpose: EffectPurpose, shown: showing.Shown, part: int = 0, of_parts: int = 1) -> Call:
        thread = self.subject.thread_ts or self.ts
        arguments = {**shown, "thread_ts": thread} if thread else dict(shown)
        return call(self.subject, "chat.postMessage", purpose, arguments, part=part, of_parts=of_parts)

    async def _edit(self) -> None:
        edits = 0
        try:
            while True:
                await asyncio.sleep(edit_pause_s(edits))
                await self._changed.wait()
                self._changed.clear()
                text = split(harmless(self._text, self.may_be_named), LONGEST)[-1]
                if await self.ledger.show(self.subject, {"ts": self.ts, **showing.growing(text, self.run_id)}):
                    edits += 1
        except EffectRefused as refused:
            log.warning("a growing answer cannot be shown (%s); its last words may be", refused.code)


def _without_previews(shown: showing.Shown) -> showing.Shown:
    """An update takes no word about previews."""
    return {name: value for name, value in shown.items() if name not in showing.NO_PREVIEWS}
