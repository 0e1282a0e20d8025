"""Commands that are no runs: notices, emoji, "Why?", feedback, forms, programs' messages. No run waits for them."""

import asyncio
import json
import logging
from typing import Any, Final

from schemas.command import EmojiRequested, FeedbackGiven, Notice, OutboundMessage, ViewRequested, WhyAsked
from services.kit.clock import Clock
from services.responder.adapters.audit import Audit
from services.responder.adapters.ledger import NOT_NOW, EffectRefused, Ledger
from services.responder.adapters.past import Past
from services.responder.adapters.saying import Saying
from services.responder.decisions import words
from services.responder.decisions.effects import Call, Subject, call
from services.responder.decisions.pace import Urgency
from services.responder.decisions.receipt import receipt
from services.responder.decisions.standing import Standing
from services.responder.decisions.streams import UNANSWERED

log = logging.getLogger(__name__)

Chore = Notice | EmojiRequested | WhyAsked | FeedbackGiven | OutboundMessage | ViewRequested
NOTICE_IS_NEWS_S: Final = 600.0
"""What somebody is told about a moment ago is worth nothing later."""
TRIGGER_IS_GOOD_S: Final = 3.0
"""So long Slack opens a form for a click."""
EXPIRED: Final = "expired_trigger"
TOO_LATE: Final = frozenset({EXPIRED, "expired_trigger_id", "exchanged_trigger_id", NOT_NOW})


class Chores:
    """Does them."""

    def __init__(self, ledger: Ledger, saying: Saying, audit: Audit, past: Past, clock: Clock) -> None:
        self._ledger, self._saying = ledger, saying
        self._audit, self._past, self._clock = audit, past, clock

    async def do(self, chore: Chore, subject: Subject, standing: Standing) -> None:
        """One of them, once."""
        try:
            if isinstance(chore, OutboundMessage):
                await self._saying.say(chore, subject, standing)
            elif isinstance(chore, ViewRequested):
                await self._open(chore, subject, standing)
            elif (made := await self._call_for(chore, subject)) is None:
                return
            else:
                await self._once(made, subject, standing)
        except EffectRefused as refused:
            log.warning("a %s cannot be shown: Slack says %s", chore.type, refused.code)

    async def _once(self, made: Call, subject: Subject, standing: Standing) -> None:
        if made.effect_id in standing.meant:
            await self._ledger.settle(subject, standing, made)
        else:
            await self._ledger.do(subject, made, Urgency.FIRST)

    async def _open(self, asked: ViewRequested, subject: Subject, standing: Standing) -> None:
        """A form, now or not at all: who waits for it in vain is told to click again."""
        shown = {"trigger_id": asked.trigger_id, "view": json.loads(asked.view_json)}
        made = call(subject, "views.open", "form", shown)
        try:
            if made.effect_id in standing.meant:
                await self._ledger.settle(subject, standing, made)
            elif (self._clock.now() - asked.at).total_seconds() > TRIGGER_IS_GOOD_S:
                await self._ledger.leave(subject, made, EXPIRED)
            else:
                await self._ledger.attempt(subject, made, Urgency.FIRST)
        except EffectRefused as refused:
            log.warning("a form was not opened: %s", refused.code)
            if refused.code == UNANSWERED:
                return  # it may be open
            text = words.FORM_TOO_LATE if refused.code in TOO_LATE else words.no_form(refused.code)
            await self._once(_whisper(subject, asked.user_id, text), subject, standing)

    async def _call_for(
        self, chore: Notice | EmojiRequested | FeedbackGiven | WhyAsked, subject: Subject
    ) -> Call | None:
        match chore:
            case Notice():
                is_news = (self._clock.now() - chore.at).total_seconds() < NOTICE_IS_NEWS_S
                return _whisper(subject, chore.user_id, chore.text) if is_news else None
            case EmojiRequested():
                shown = {"timestamp": chore.message_ts, "name": chore.emoji}
                return call(subject, "reactions.add", "emoji", shown)
            case FeedbackGiven():
                await self._audit.feedback(chore, subject.key)
                return _whisper(subject, chore.user_id, words.THANKS[chore.verdict])
            case WhyAsked():
                return _whisper(subject, chore.user_id, await self._story(chore, subject), "receipt")

    async def _story(self, asked: WhyAsked, subject: Subject) -> str:
        command = await self._past.command(asked.run_id, subject)
        if command is None:
            return words.NOT_KNOWN
        request = await self._past.request(asked.run_id, subject)
        states, standing = await asyncio.gather(
            self._past.states(asked.run_id, subject), self._past.standing(asked.run_id, subject)
        )
        return receipt(request, command, states, standing)


def _whisper(subject: Subject, user: str, text: str, purpose: Any = "notice") -> Call:
    """What one person is told."""
    arguments: dict[str, Any] = {"user": user, "text": text}
    if subject.thread_ts is not None:
        arguments["thread_ts"] = subject.thread_ts
    return call(subject, "chat.postEphemeral", purpose, arguments)
