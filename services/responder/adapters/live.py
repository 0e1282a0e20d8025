"""Shows an answer while it grows: by a stream of Slack's where Slack takes one, else by edits of the message."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Final

from services.kit.fault import where_of
from services.responder.adapters.ledger import NOT_NOW, EffectRefused, Ledger, Showing
from services.responder.adapters.slack import ANSWER_WITHIN_S, Unsure
from services.responder.decisions import showing, words
from services.responder.decisions.effects import Call, Subject, call
from services.responder.decisions.pace import Urgency, append_pause_s, edit_pause_s
from services.responder.decisions.splitting import LONGEST, split
from services.responder.decisions.standing import Standing
from services.responder.decisions.streams import Stream, Streams, steady

log = logging.getLogger(__name__)

NO_TS: Final = "no_ts"
PLACEHOLDER_PART: Final = 100
"""Doubles that are deleted count from 0."""


@dataclass
class Live:
    """One run's growing text."""

    ledger: Ledger
    subject: Subject
    run_id: str
    streams: Streams
    text: Callable[[], str]
    """The text so far, as it may be shown."""
    moved: Callable[[str, str], None]
    """Hears that the answer stands in another message from now on: its ts, and the effect that made it."""
    placeholder: str | None = None
    """The message that says that it thinks."""
    ts: str | None = None
    """The message that grows."""
    stream: Stream | None = None
    """The one that is open."""
    recipient: tuple[str, str] | None = None
    """Whose question it answers, and their workspace: Slack wants to know for a stream."""
    may_stream: bool = True
    _within: Context = field(default_factory=copy_context)
    """What is shown belongs to the run, and not to the model's call that it is heard in."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _going_on: "asyncio.Task[None] | None" = None
    _starting: "asyncio.Task[None] | None" = None
    _showing: Showing | None = None

    def stands(self, ts: str) -> None:
        """The placeholder is there."""
        self.placeholder = self.ts = ts

    def grow(self) -> None:
        """There is more to show. It is shown when that is due."""
        self._changed.set()
        if self._going_on is None and self.ts is not None:
            self._going_on = asyncio.create_task(self._go_on(), context=self._within)

    async def leave(self, *, at_once: bool = False) -> None:
        """Shows nothing more. What is on its way to Slack is waited for: last words come after it."""
        if self._going_on is not None:
            self._going_on.cancel()
        if self._starting is not None and at_once:  # the ledger knows that it was meant, and whoever goes on finds it
            self._starting.cancel()
        left = [each for each in (self._going_on, self._starting) if each is not None]
        for failure in await asyncio.gather(*left, return_exceptions=True):
            if isinstance(failure, Exception):
                log.warning("a growing answer could not be shown: %s", where_of(failure))
        self._going_on = self._starting = None
        if self._showing is not None and not self._showing.done():
            await asyncio.wait({self._showing}, timeout=ANSWER_WITHIN_S)

    def ending(self) -> Call | None:
        """The call that ends the open stream, if there is one."""
        if self.stream is None:
            return None
        return call(self.subject, "chat.stopStream", "stream", {"ts": self.stream.ts}, part=1)

    async def end(self) -> None:
        """The stream is over; the message is one like any other."""
        ending = self.ending()
        if ending is not None:
            await self.ledger.intend(self.subject, [ending])
            await self.carry_out(ending)

    async def _end_again(self, standing: Standing) -> None:
        """Somebody before us may have ended it. What is done is not meant again: it may stand behind a stop."""
        ending = self.ending()
        if ending is not None and standing.is_settled(ending.effect_id):
            self.stream = None
        await self.end()

    async def carry_out(self, ending: Call) -> None:
        """Does what was meant already. A stream that Slack does not end is over by itself soon."""
        try:
            await self.ledger.carry_out(self.subject, ending, Urgency.LAST)
        except EffectRefused as refused:
            log.warning("a stream does not end: Slack says %s", refused.code)
        self.stream = None

    async def recover(self, standing: Standing) -> None:
        """Finds the stream that somebody before us began, and ends it: its message goes on by edits."""
        for made in standing.of("stream"):
            self.may_stream = False  # one in the life of a run: a second would have the name of the first
            if made.method != "chat.startStream" or self.ts not in {None, self.placeholder}:
                continue
            ts = standing.confirmed.get(made.effect_id)
            if ts is None and not standing.is_settled(made.effect_id):
                ts = await self.ledger.find(self.subject, made, "its responder ended")
            if ts is not None:
                self.stream = Stream(ts, 0.0, "")
                await self._end_again(standing)
                await self._move(ts, made, standing)

    async def _go_on(self) -> None:
        shown = 0
        try:
            while True:
                await asyncio.sleep(edit_pause_s(shown) if self.stream is None else append_pause_s(shown))
                await self._changed.wait()
                self._changed.clear()
                if shown == 0:
                    await self._begin()
                shown += await self._show()
        except EffectRefused as refused:
            log.warning("a growing answer cannot be shown (%s); its last words may be", refused.code)

    async def _begin(self) -> None:
        """A stream, where that is worth a try. Nobody takes it back once it is begun: it is not broken off."""
        if (
            self.may_stream
            and self.recipient is not None
            and self.subject.thread_ts is not None
            and self.streams.may_begin(self.subject.connection, self.subject.channel_id)
            and self.ledger.is_free(self.subject, "chat.startStream")
        ):
            self.may_stream = False
            self._starting = asyncio.create_task(self._start())
            await asyncio.shield(self._starting)

    async def _start(self) -> None:
        text = steady(self.text())
        if not text.strip() or len(text) > LONGEST:
            return
        place = (self.subject.connection, self.subject.channel_id)
        user, team = self.recipient or ("", "")
        who = {"recipient_user_id": user, "recipient_team_id": team}
        shown = {"thread_ts": self.subject.thread_ts, **who, **showing.streamed(text, self.run_id)}
        made = call(self.subject, "chat.startStream", "stream", shown)
        try:
            ts, code = await self.ledger.attempt(self.subject, made, Urgency.EDIT), NO_TS
        except EffectRefused as refused:
            ts, code = None, refused.code
        if ts is None:
            if code != NOT_NOW and self.streams.failed(*place, code):
                log.info("answers of %s grow by edits for a while: no stream was begun (%s)", place[0], code)
            return
        self.streams.began(place[0])
        self.stream = Stream(ts, self.streams.now(), text)
        await self._move(ts, made, Standing())

    async def _move(self, ts: str, made: Call, standing: Standing) -> None:
        """The answer stands in the stream's message; the placeholder goes."""
        self.ts = ts
        self.moved(ts, made.effect_id)
        if self.placeholder is None:
            return
        gone = call(self.subject, "chat.delete", "cleanup", {"ts": self.placeholder}, part=PLACEHOLDER_PART)
        if standing.is_settled(gone.effect_id):
            return
        try:
            await self.ledger.do(self.subject, gone, Urgency.FIRST)
        except EffectRefused as refused:
            log.warning("“Thinking…” cannot be deleted (%s); it points to the answer", refused.code)
            points = {"ts": self.placeholder, "text": words.BELOW, "blocks": []}
            told = call(self.subject, "chat.update", "cleanup", points, part=PLACEHOLDER_PART + 1)
            await self.ledger.do(self.subject, told, Urgency.FIRST)

    async def _show(self) -> bool:
        if self.stream is None:
            return await self._call("chat.update", self._edited)
        rest = self.stream.rest(steady(self.text()), LONGEST, self.streams.now())
        if rest == "":
            return False
        if rest is not None:
            try:
                if await self._call("chat.appendStream", lambda: self._added(rest)):
                    self.stream.sent += rest
                    return True
            except (EffectRefused, Unsure) as error:
                log.info("a stream does not go on (%s); edits do", type(error).__name__)
            else:
                return False
        await self.end()
        return False

    def _added(self, rest: str) -> Mapping[str, Any]:
        return {"ts": self.ts, "chunks": [showing.chunk(rest)]}

    def _edited(self) -> Mapping[str, Any]:
        return {"ts": self.ts, **showing.growing(split(self.text(), LONGEST)[-1], self.run_id)}

    async def _call(self, method: str, shown: Callable[[], Mapping[str, Any]]) -> bool:
        try:
            return await self.ledger.show(self.subject, method, shown, self._begun)
        except Unsure:
            if method == "chat.update":
                return False  # the next edit says it all again
            raise

    def _begun(self, calling: Showing) -> None:
        self._showing = calling
