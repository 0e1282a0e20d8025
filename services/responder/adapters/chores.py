"""Commands that are no runs: notices, emoji, "Why?", feedback, programs' messages. They wait for nobody."""

import json
import logging
from typing import Any, Final

from schemas.command import EmojiRequested, FeedbackGiven, Notice, OutboundMessage, WhyAsked
from services.kit.clock import Clock
from services.responder.adapters.audit import Audit
from services.responder.adapters.ledger import EffectRefused, Ledger
from services.responder.adapters.past import Past
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

    def __init__(self, ledger: Ledger, audit: Audit, past: Past, clock: Clock) -> None:
        self._ledger, self._audit, self._past, self._clock = ledger, audit, past, clock

    async def do(self, chore: Chore, subject: Subject, standing: Standing) -> None:
        """One of them, once."""
        made = await self._call_for(chore, subject)
        if made is None:
            return
        try:
            if made.effect_id in standing.meant:
                await self._ledger.settle(subject, standing, made)
            else:
                await self._ledger.do(subject, made, Urgency.FIRST)
        except EffectRefused as refused:
            log.warning("a %s cannot be shown: Slack says %s", chore.type, refused.code)

    async def _call_for(self, chore: Chore, subject: Subject) -> Call | None:
        match chore:
            case Notice():
                is_news = (self._clock.now() - chore.at).total_seconds() < NOTICE_IS_NEWS_S
                return _whisper(subject, chore.user_id, chore.text) if is_news else None
            case EmojiRequested():
                shown = {"timestamp": chore.message_ts, "name": chore.emoji}
                return call(subject, "reactions.add", "emoji", shown)
            case OutboundMessage():
                return _message(subject, chore)
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


def _message(subject: Subject, message: OutboundMessage) -> Call:
    """What a program says."""
    arguments: dict[str, Any] = {"text": message.text}
    if message.blocks_json is not None:
        arguments["blocks"] = json.loads(message.blocks_json)
    if message.thread_ts is not None:
        arguments["thread_ts"] = message.thread_ts
    return call(subject, "chat.postMessage", "message", arguments)


def _whisper(subject: Subject, user: str, text: str, purpose: Any = "notice") -> Call:
    """What one person is told."""
    arguments: dict[str, Any] = {"user": user, "text": text}
    if subject.thread_ts is not None:
        arguments["thread_ts"] = subject.thread_ts
    return call(subject, "chat.postEphemeral", purpose, arguments)
