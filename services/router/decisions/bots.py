"""The third and fourth gates: what programs say, edits, deletions and Slack's own remarks ask for nothing."""

from typing import Final

from schemas.decision import Ignored, IgnoredReason
from services.router.decisions import text
from services.router.decisions.event import Event
from services.router.decisions.facts import Tenant
from services.router.decisions.inbound import Joined, Origin, Passing, Posted, Reacted
from services.router.decisions.outcome import Outcome

SLACKBOT: Final = "USLACKBOT"
PEOPLES: Final = frozenset({None, "file_share", "thread_broadcast", "me_message"})
"""The subtypes under which people write."""
_CHANGED: Final[dict[str, IgnoredReason]] = {"message_changed": "edited", "message_deleted": "deleted"}


def gate(event: Event, tenant: Tenant) -> Outcome | None:
    """Whether a person did it, and something new."""
    reason = _reason(event, tenant)
    return Outcome(Ignored(reason=reason)) if reason is not None else None


def _reason(event: Event, tenant: Tenant) -> IgnoredReason | None:
    match event.inbound:
        case Posted() as posted:
            return _of_message(posted, self_of(posted.origin, tenant))
        case Reacted(origin=origin) | Joined(origin=origin):
            if origin.sender is None:
                return "lifecycle"
            return "own_message" if origin.sender == self_of(origin, tenant) else None
        case Passing(known=known):
            return "lifecycle" if known else "unknown_event"
        case _:
            return None


def self_of(origin: Origin, tenant: Tenant) -> str | None:
    """The user that the app is: as the delivery says it, else as the installation does."""
    return origin.self_id or tenant.bot_users.get(origin.connection)


def self_in(posted: Posted, tenant: Tenant) -> str | None:
    """The same for a message. Where nobody says it, a mention that Slack tells us of begins with it."""
    known = self_of(posted.origin, tenant)
    return text.leading(posted.text) if known is None and posted.event_type == "app_mention" else known


def _of_message(posted: Posted, self_id: str | None) -> IgnoredReason | None:
    if posted.edited:
        return "edited"
    if posted.subtype in _CHANGED:
        return _CHANGED[posted.subtype]
    if _is_own(posted, self_id):
        return "own_message"
    if posted.bot_id is not None or posted.subtype == "bot_message" or posted.origin.sender == SLACKBOT:
        return "bot_message"
    if posted.hidden:
        return "hidden"
    return None if posted.subtype in PEOPLES and posted.origin.sender is not None else "lifecycle"


def _is_own(posted: Posted, self_id: str | None) -> bool:
    if self_id is not None and posted.origin.sender == self_id:
        return True
    return posted.bot_id is not None and posted.app_id == posted.origin.connection.partition(":")[0]
