"""The first gate: what an envelope is, whichever of Slack's many shapes it came in."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, assert_never

from schemas.envelope import Envelope, EnvelopeKind, GatewayCancel, GatewayRun, SlackEnvelope
from schemas.message import Attachment, ChannelKind
from services.router.decisions.inbound import (
    Asked,
    Clicked,
    Commanded,
    Inbound,
    Joined,
    Origin,
    Passing,
    Posted,
    Reacted,
    Revoked,
    SessionStopped,
    Shortcut,
    Submitted,
)

Json = Mapping[str, Any]

COMMAND, GATEWAY_RUN, GATEWAY_CANCEL = "slash_command", "gateway_run", "gateway_cancel"
LIFECYCLE: Final = frozenset(
    {
        "agent_session_started",
        "app_context_changed",
        "app_home_opened",
        "app_rate_limited",
        "app_uninstalled",
        "assistant_thread_context_changed",
        "assistant_thread_started",
        "block_suggestion",
        "channel_archive",
        "channel_created",
        "channel_deleted",
        "channel_rename",
        "channel_unarchive",
        "file_shared",
        "link_shared",
        "member_left_channel",
        "message_metadata_posted",
        "reaction_removed",
        "shortcut",
        "team_join",
        "tokens_revoked",
        "user_change",
        "view_closed",
    }
)
"""What is known, and asks for nothing."""
_TS: Final = re.compile(r"[0-9]{1,10}\.[0-9]{1,9}")
_KINDS: Final[Mapping[str, ChannelKind]] = {"channel": "channel", "group": "group", "im": "im", "mpim": "mpim"}
_KIND_BY_LETTER: Final[Mapping[str, ChannelKind]] = {"D": "im", "G": "group"}
LONGEST_TYPE = 80


class Malformed(ValueError):
    """A payload without what its kind must have. It is kept as a dead letter; its message quotes nothing."""


def normalize(envelope: Envelope) -> Inbound:
    """What an envelope is. Total for everything that Slack may send; `Malformed` for what it never would."""
    match envelope:
        case GatewayRun():
            return Asked(_of_gateway(envelope), GATEWAY_RUN, envelope)
        case GatewayCancel():
            return Revoked(_of_gateway(envelope), GATEWAY_CANCEL, envelope)
        case SlackEnvelope():
            return _BY_KIND[envelope.kind](envelope.payload, envelope.connection)
        case _:
            assert_never(envelope)


def _of_gateway(envelope: GatewayRun | GatewayCancel) -> Origin:
    return Origin(envelope.connection, _owner(envelope.connection), sender=envelope.token_id)


def _owner(connection: str) -> str:
    return connection.partition(":")[2]


def _of_event(payload: Json, connection: str) -> Inbound:  # noqa: PLR0911 - one for each kind of event
    event = payload.get("event")
    if not isinstance(event, dict):
        return Passing(_of_outer(payload, {}, connection), _type(payload), known=_type(payload) in LIFECYCLE)
    kind, origin = _type(event), _of_outer(payload, event, connection)
    match kind:
        case "message" | "app_mention":
            return _posted(kind, origin, event)
        case "reaction_added":
            item = _part(event, "item")
            if _text(item, "type") != "message":
                return Passing(origin, kind, known=True)
            channel, ts = _need(item, "channel"), _need_ts(item, "ts")
            return Reacted(origin, kind, channel, ts, _need(event, "reaction"), _text(event, "item_user"))
        case "member_joined_channel":
            return Joined(origin, kind, _need(event, "channel"))
        case "agent_session_stopped":
            return SessionStopped(origin, kind, _need(event, "channel"), _need_ts(event, "thread_ts"))
        case _:
            return Passing(origin, kind, known=kind in LIFECYCLE)


def _of_outer(payload: Json, event: Json, connection: str) -> Origin:
    authorizations = payload.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else None
    first = first if isinstance(first, dict) else {}
    return Origin(
        connection=connection,
        team_id=_text(first, "team_id") or _workspace_of(payload, connection),
        self_id=_text(first, "user_id") if first.get("is_bot") is True else None,
        sender=_user(event),
        sender_team=_text(event, "user_team") or _text(event, "source_team") or _text(event, "team"),
        sender_name=_text(event, "username"),
        shared=payload.get("is_ext_shared_channel") is True,
    )


def _workspace_of(payload: Json, connection: str) -> str:
    """Where an organisation-wide installation was asked. In a shared channel `team_id` may be a stranger's."""
    named = _text(payload, "context_team_id")
    here = None if payload.get("is_ext_shared_channel") is True else _text(payload, "team_id")
    return named or here or _owner(connection)


def _user(event: Json) -> str | None:
    """Slack names a user by an id, in some events by an object."""
    return _text(event, "user") or _text(_part(event, "user"), "id")


def _posted(kind: str, origin: Origin, event: Json) -> Posted:
    channel = _need(event, "channel")
    profile = _part(event, "bot_profile")
    return Posted(
        origin=origin,
        event_type=kind,
        channel=channel,
        channel_kind=channel_kind(_text(event, "channel_type"), channel),
        ts=_need_ts(event, "ts"),
        text=_text(event, "text") or "",
        thread_ts=_optional_ts(event, "thread_ts"),
        subtype=_text(event, "subtype"),
        hidden=event.get("hidden") is True,
        edited=kind == "app_mention" and isinstance(event.get("edited"), dict),
        bot_id=_text(event, "bot_id"),
        app_id=_text(event, "app_id") or _text(profile, "app_id"),
        channel_name=_text(event, "channel_name"),
        attachments=_attachments(event.get("files")),
    )


def channel_kind(named: str | None, channel: str) -> ChannelKind:
    """What sort of channel it is: as Slack says it, else as its id begins."""
    return _KINDS.get(named or "") or _KIND_BY_LETTER.get(channel[:1], "channel")


def _attachments(files: object) -> tuple[Attachment, ...]:
    found = [each for each in files if isinstance(each, dict)] if isinstance(files, list) else []
    return tuple(
        Attachment(id=file_id, name=_text(each, "name"), media_type=_text(each, "mimetype"), size=_size(each))
        for each in found
        if (file_id := _text(each, "id"))
    )


def _size(file: Json) -> int | None:
    size = file.get("size")
    return size if isinstance(size, int) and not isinstance(size, bool) else None


def _of_command(payload: Json, connection: str) -> Inbound:
    origin = Origin(
        connection,
        _text(payload, "team_id") or _owner(connection),
        sender=_need(payload, "user_id"),
        sender_name=_text(payload, "user_name"),
    )
    command, said = _need(payload, "command"), _text(payload, "text") or ""
    name, trigger = _text(payload, "channel_name"), _text(payload, "trigger_id")
    return Commanded(origin, COMMAND, command, said, _need(payload, "channel_id"), name, trigger)


def _of_interaction(payload: Json, connection: str) -> Inbound:
    kind, user = _type(payload), _part(payload, "user")
    sender_team = _text(user, "team_id")
    team = _text(_part(payload, "view"), "app_installed_team_id") or _text(_part(payload, "team"), "id")
    home = team or _owner(connection)
    origin = Origin(
        connection,
        home,
        sender=_text(user, "id"),
        sender_team=sender_team,
        sender_name=_text(user, "username") or _text(user, "name"),
        shared=sender_team is not None and sender_team != home,
    )
    match kind:
        case "block_actions":
            return _clicked(kind, origin, payload)
        case "message_action":
            return _shortcut(kind, origin, payload)
        case "view_submission":
            view = _part(payload, "view")
            metadata = _text(view, "private_metadata") or ""
            return Submitted(origin, kind, _text(view, "callback_id") or "", metadata, _typed(view))
        case _:
            return Passing(origin, kind, known=kind in LIFECYCLE)


def _clicked(kind: str, origin: Origin, payload: Json) -> Clicked:
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    if not isinstance(first, dict):
        raise Malformed("a click without an action")
    container, message = _part(payload, "container"), _part(payload, "message")
    return Clicked(
        origin=origin,
        event_type=kind,
        action_id=_text(first, "action_id") or "",
        value=_text(first, "value") or _text(_part(first, "selected_option"), "value") or "",
        channel=_text(container, "channel_id") or _text(_part(payload, "channel"), "id"),
        message_ts=_optional_ts(container, "message_ts") or _optional_ts(message, "ts"),
        thread_ts=_optional_ts(container, "thread_ts") or _optional_ts(message, "thread_ts"),
        trigger_id=_text(payload, "trigger_id"),
    )


def _shortcut(kind: str, origin: Origin, payload: Json) -> Shortcut:
    channel = _text(_part(payload, "channel"), "id")
    message = payload.get("message")
    chosen = None
    if isinstance(message, dict) and channel is not None:
        named = {"channel_name": _text(_part(payload, "channel"), "name")}
        chosen = _posted(kind, origin, {**named, **message, "channel": channel})
    return Shortcut(origin, kind, _text(payload, "callback_id") or "", channel, chosen)


def _typed(view: Json) -> str | None:
    """What was typed into a modal's first field."""
    values = _part(_part(view, "state"), "values")
    fields = [field for block in values.values() if isinstance(block, dict) for field in block.values()]
    typed = (_text(field, "value") for field in fields if isinstance(field, dict))
    return next((each for each in typed if each), None)


def _type(carrier: Json) -> str:
    return (_text(carrier, "type") or "unknown")[:LONGEST_TYPE]


def _part(carrier: Json, name: str) -> Json:
    found = carrier.get(name)
    return found if isinstance(found, dict) else {}


def _text(carrier: Json, name: str) -> str | None:
    found = carrier.get(name)
    return found if isinstance(found, str) and found else None


def _need(carrier: Json, name: str) -> str:
    found = _text(carrier, name)
    if found is None:
        raise Malformed(f"there is no {name}")
    return found


def _optional_ts(carrier: Json, name: str) -> str | None:
    return None if carrier.get(name) is None else _need_ts(carrier, name)


def _need_ts(carrier: Json, name: str) -> str:
    found = _need(carrier, name)
    if _TS.fullmatch(found) is None:
        raise Malformed(f"{name} is no time of Slack's")
    return found


_BY_KIND: Final[Mapping[EnvelopeKind, Callable[[Json, str], Inbound]]] = {
    "events_api": _of_event,
    "slash_commands": _of_command,
    "interactive": _of_interaction,
}
