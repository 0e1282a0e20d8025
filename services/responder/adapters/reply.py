"""What one run shows in Slack: that it thinks, the text as it grows, and the last words."""

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from schemas import ids
from schemas.effect import EffectPurpose
from services.responder.adapters.ledger import EffectRefused, Ledger
from services.responder.adapters.live import Live
from services.responder.decisions import showing, words
from services.responder.decisions.effects import NOT_CHANGED, Call, Subject, call, mark
from services.responder.decisions.harmless import harmless
from services.responder.decisions.pace import Urgency
from services.responder.decisions.splitting import LONGEST, split
from services.responder.decisions.standing import Standing
from services.responder.decisions.streams import Streams

log = logging.getLogger(__name__)

TOO_MUCH: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
"""Slack does not take the message as it is shown; in plain words it may."""
PLAIN, POSTED = 1000, 2000
"""Added to a part's number for the same words said otherwise."""


@dataclass
class Reply:
    """One run's."""

    ledger: Ledger
    subject: Subject
    run_id: str
    standing: Standing
    """What the ledger holds of the run from before."""
    streams: Streams
    told: Callable[[], None] = lambda: None
    """Hears of every message that stands."""
    may_be_named: Collection[str] = ()
    ts: str | None = None
    """The message that is written."""
    posted: set[str] = field(default_factory=set)
    """Every message of the run."""
    _text: str = ""
    _made_by: str | None = None
    """The effect that made the message, where that could not carry its own mark."""
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        """What grows knows what may be shown."""
        self.live = Live(self.ledger, self.subject, self.run_id, self.streams, self._harmless, self._moved)

    def recall(self) -> None:
        """Knows the messages again that the ledger is sure of."""
        for made in self.standing.meant.values():
            ts = self.standing.confirmed.get(made.effect_id)
            if ts is not None:
                self.posted.add(ts)
            if made.purpose == "placeholder" and ts is not None:
                self._placed(ts)

    def go_on_in(self, ts: str | None, posted: Iterable[str]) -> None:
        """Knows its messages again by what was kept when it waited, whatever the ledger still holds."""
        self.posted.update(posted)
        if ts is not None:
            self.ts = self.live.ts = ts
        self.told()

    async def begin(self) -> None:
        """Says that it thinks, in the message that becomes the answer."""
        await self._recover()
        if self.ts is None:
            shown = showing.thinking(words.THINKING, self.run_id)
            self._placed(await self.ledger.do(self.subject, self._post("placeholder", shown), Urgency.FIRST))

    def grow(self, text: str) -> None:
        """The text so far. It is shown when that is due."""
        self._text = text
        self.live.grow()

    async def finish(self, markdown: str, footer: str | None) -> None:
        """The last words of an answer."""
        parts = split(harmless(markdown, self.may_be_named), LONGEST)
        last = len(parts) - 1
        shown = [
            showing.answer(part, self.run_id if number == last else None, footer if number == last else None)
            for number, part in enumerate(parts)
        ]
        await self._say("answer", shown)

    async def end(self, purpose: EffectPurpose, partial: str, notice: str, *, may_retry: bool = False) -> None:
        """The last words where there is no whole answer: what was written is kept, and ours stand behind it."""
        *before, last = self._with_notice(partial, notice)
        shown = [showing.answer(part, None) for part in before]
        await self._say(purpose, [*shown, showing.ended(last, self.run_id, may_retry=may_retry)])

    async def suspend(self, round_: int, partial: str, notice: str) -> None:
        """The end of what was written so far, and that people must decide before it goes on."""
        name = ids.effect_id(self.subject.name, "suspended", round_)
        meant = [each for each in self.standing.of("suspended") if each.effect_id == name]
        if meant:
            await self.say_again(meant)
            return
        last = self._with_notice(partial, notice)[-1]  # the whole is said when it is whole
        await self._say("suspended", [showing.waiting(last, self.run_id)], round_)

    def _with_notice(self, partial: str, notice: str) -> list[str]:
        """What was written, and our words behind it."""
        parts = split(harmless(partial, self.may_be_named), LONGEST) if partial.strip() else []
        if parts and len(parts[-1]) + len(notice) < LONGEST:
            parts[-1] = f"{parts[-1]}\n\n{notice}"
        else:
            parts.append(notice)
        return parts

    async def say_again(self, calls: list[Call]) -> None:
        """Ends what somebody before us began to say."""
        await self._recover()
        for each in calls:
            try:
                ts = await self.ledger.settle(self.subject, self.standing, each)
            except EffectRefused as refused:
                instead = self._instead(each, refused)
                ts = None if instead.effect_id in self.standing.meant else await self._do(instead)
            self._stands(ts)

    async def leave(self, *, at_once: bool = False) -> None:
        """Shows nothing more of what grows."""
        await self.live.leave(at_once=at_once)

    async def _recover(self) -> None:
        """Finds the messages again that somebody before us made."""
        before = self.standing.of("placeholder")
        if before and self.ts is None:
            self._placed(await self.ledger.settle(self.subject, self.standing, before[0]))
        await self.live.recover(self.standing)

    async def _say(self, purpose: EffectPurpose, shown: list[showing.Shown], first: int = 0) -> None:
        await self.leave()
        await self._recover()
        calls = []
        for number, part in enumerate(shown):
            if number == 0 and self.ts is not None:
                arguments = {"ts": self.ts, **_without_previews(part), **self._marked()}
                calls.append(call(self.subject, "chat.update", purpose, arguments, part=first, of_parts=len(shown)))
            else:
                calls.append(self._post(purpose, part, first + number, len(shown)))
        ending = self.live.ending()
        await self.ledger.intend(self.subject, [*([ending] if ending else []), *calls])
        if ending is not None:
            await self.live.carry_out(ending)
        for each in calls:
            try:
                ts = await self.ledger.carry_out(self.subject, each, Urgency.LAST)
            except EffectRefused as refused:
                ts = await self._do(self._instead(each, refused))
            self._stands(ts)

    async def _do(self, made: Call) -> str | None:
        return await self.ledger.do(self.subject, made, Urgency.LAST)

    def _placed(self, ts: str | None) -> None:
        self._stands(ts)
        if ts is not None:
            self.live.stands(ts)

    def _moved(self, ts: str, made_by: str) -> None:
        self.ts, self._made_by = ts, made_by
        self._stands(ts)

    def _marked(self) -> dict[str, Any]:
        """A message that was begun as a stream is marked with its last words."""
        return {"metadata": mark(self.subject, self._made_by)} if self._made_by is not None else {}

    def _harmless(self) -> str:
        return harmless(self._text, self.may_be_named)

    def _stands(self, ts: str | None) -> None:
        if ts is not None:
            self.ts = self.ts or ts
            self.posted.add(ts)
            self.told()

    def _instead(self, made: Call, refused: EffectRefused) -> Call:
        """The same words said otherwise, where Slack does not take them as they are."""
        number = int(made.effect_id[:4], 16)
        arguments = {name: value for name, value in made.arguments.items() if name != "metadata"}
        if refused.code in TOO_MUCH:
            log.warning("Slack does not take the blocks of an answer (%s); it is said in plain words", refused.code)
            arguments |= {"text": showing.escaped(showing.markdown_in(made.arguments)), "blocks": []}
            return call(self.subject, made.method, made.purpose, arguments, part=PLAIN + number, of_parts=made.of_parts)
        if refused.code in NOT_CHANGED and made.method == "chat.update":
            log.warning("Slack does not change a message (%s); its last words are posted", refused.code)
            del arguments["ts"]
            return self._post(made.purpose, arguments, POSTED + number, made.of_parts)
        raise refused

    def _post(self, purpose: EffectPurpose, shown: showing.Shown, part: int = 0, of_parts: int = 1) -> Call:
        thread = self.subject.thread_ts or self.ts
        arguments = {**shown, "thread_ts": thread} if thread else dict(shown)
        return call(self.subject, "chat.postMessage", purpose, arguments, part=part, of_parts=of_parts)


def _without_previews(shown: showing.Shown) -> showing.Shown:
    """An update takes no word about previews."""
    return {name: value for name, value in shown.items() if name not in showing.NO_PREVIEWS}
