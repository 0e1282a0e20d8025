"""Commands that are no runs: notices, emoji, "Why?", feedback, programs' messages. No run waits for them."""

import logging
from typing import Any, Final

from schemas.command import EmojiRequested, FeedbackGiven, Notice, OutboundMessage, WhyAsked
from services.kit.clock import Clock
from services.responder.adapters.audit import Audit
from services.responder.adapters.ledger import EffectRefused, Ledger
from services.responder.adapters.past import Past
from services.responder.adapters.saying import Saying
from services.responder.decisions import words
from services.responder.decisions.effects import Call, Subject, call
from services.responder.decisions.pace import Urgency
from services.responder.decisions.receipt import receipt
from services.responder.decisions.standing import Standing

log = logging.getLogger(__name__)

Chore = Notice | EmojiRequested | WhyAsked | FeedbackGiven | OutboundMessage
NOTICE_IS_NEWS_S: Final = 600.0
"""What somebody is told about a moment ago is worth nothing later."""


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
            elif (made := await self._call_for(chore, subject)) is None:
                return
            elif made.effect_id in standing.meant:
                await self._ledger.settle(subject, standing, made)
            else:
                await self._ledger.do(subject, made, Urgency.FIRST)
        except EffectRefused as refused:
            log.warning("a %s cannot be shown: Slack says %s", chore.type, refused.code)

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
        return receipt(request, command, await self._past.states(asked.run_id, subject))


def _whisper(subject: Subject, user: str, text: str, purpose: Any = "notice") -> Call:
    """What one person is told."""
    arguments: dict[str, Any] = {"user": user, "text": text}
    if subject.thread_ts is not None:
        arguments["thread_ts"] = subject.thread_ts
    return call(subject, "chat.postEphemeral", purpose, arguments)
