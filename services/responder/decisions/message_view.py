"""What a program is told of a message that it asked for: a fold of its request and of what the ledger says of it."""

from typing import Any, Final

from schemas.base import Part
from schemas.command import OutboundMessage
from schemas.effect import EffectConfirmed, EffectFailed, EffectIntended, EffectUnknown, LedgerEntry, RunSuspended
from services.responder.decisions.effects import NOT_CHANGED
from services.responder.decisions.outbound import PURPOSE, effect_id_of

Json = dict[str, Any]

ACCEPTED, INTENDED, CONFIRMED, FAILED, UNKNOWN = "accepted", "intended", "confirmed", "failed", "unknown"
_ENDS: Final = frozenset({CONFIRMED, FAILED, UNKNOWN})


class MessageView(Part):
    """A message as its program may see it."""

    effect_id: str
    tenant_id: str
    state: str
    """`accepted`; then, as the ledger has it, `intended` and `confirmed`, `failed` or `unknown`."""
    channel: str
    thread_ts: str | None = None
    thread_of: str | None = None
    post_id: str | None = None
    ts: str | None = None
    """The message in Slack."""
    error: str | None = None
    """Slack's code, or our own."""
    at: str
    """When the state began."""
    key: str | None = None
    body_hash: str | None = None
    is_durable: bool = True
    """Whether the broker is known to have the request. One that is not may be asked for again."""

    def shown(self) -> Json:
        """For the program."""
        return self.model_dump(exclude={"tenant_id", "body_hash", "is_durable"}, exclude_none=True)

    def is_another(self, message: OutboundMessage) -> bool:
        """Whether the key of a message stands for other words already."""
        return self.body_hash is not None and self.body_hash != message.body_hash


def with_request(before: MessageView | None, message: OutboundMessage, *, durable: bool = True) -> MessageView:
    """After a program has asked. Of two requests under one key the first is the one."""
    if before is None:
        before = MessageView(
            effect_id=message.effect_id,
            tenant_id=message.tenant_id,
            state=ACCEPTED,
            channel=message.channel_id,
            thread_ts=message.thread_ts,
            thread_of=message.thread_of,
            post_id=message.post_id,
            at=message.at.isoformat(),
            is_durable=durable,
        )
    if before.body_hash is None:
        before = before.model_copy(update={"key": message.request_key, "body_hash": message.body_hash})
    return before.model_copy(update={"is_durable": True}) if durable and not before.is_durable else before


def effect_of(entry: LedgerEntry) -> str | None:
    """The message that an entry of the ledger is about; none where it is about something else."""
    effect = entry.effect
    is_one = effect.purpose == PURPOSE and effect.command_id is not None
    return effect_id_of(effect.command_id) if is_one and effect.command_id else None


def with_entry(before: MessageView | None, entry: LedgerEntry) -> MessageView | None:
    """After an entry of the ledger. An end is an end, whatever is read again."""
    name, effect = effect_of(entry), entry.effect
    if (
        name is None
        or effect.channel_id is None
        or (before is not None and (before.tenant_id != effect.tenant_id or before.state in _ENDS))
    ):
        return before
    state, more = _state_after(entry)
    if before is not None:
        told = {"state": state, "channel": effect.channel_id, "at": entry.at.isoformat(), "is_durable": True}
        return before.model_copy(update=told | more)
    return MessageView(
        effect_id=name,
        tenant_id=effect.tenant_id,
        state=state,
        channel=effect.channel_id,
        thread_ts=effect.thread_ts,
        thread_of=effect.thread_of,
        post_id=effect.post_id,
        at=entry.at.isoformat(),
        **more,
    )


def _state_after(entry: LedgerEntry) -> tuple[str, Json]:
    match entry:
        case EffectIntended() | RunSuspended():
            return INTENDED, {}
        case EffectConfirmed(message_ts=ts):
            return CONFIRMED, {"ts": ts}
        case EffectUnknown(error=error):
            return UNKNOWN, {"error": error}
        case EffectFailed(error=error, effect=effect):
            is_said_anew = effect.method == "chat.update" and error in NOT_CHANGED
            return (INTENDED, {}) if is_said_anew else (FAILED, {"error": error})
