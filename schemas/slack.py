"""How Slack's payloads name things: the connection they belong to, the delivery, and what a person did."""

from collections.abc import Mapping
from typing import Any

from schemas.cause import Cause
from schemas.envelope import EnvelopeKind
from schemas.ids import payload_hash

Payload = Mapping[str, Any]

SEALED_FIELDS = frozenset({"response_url", "bot_access_token", "access_token", "client_secret", "secret"})
"""Of a payload, wherever they stand: whoever has one may post or call with it. In `slack.inbound` they are sealed, or
left out."""


class UnidentifiedConnection(ValueError):
    """A payload names no app, or neither a team nor an enterprise."""


def connection_of(payload: Payload, app_id: str | None = None) -> str:
    """The app in a workspace (or in a whole organisation) that a payload was delivered to: `A1:T1` or `A1:E1`.

    With Slack Connect `team_id` can be another organisation's, so the authorization comes first. An app that is
    installed for a whole organisation is one connection, named by the enterprise. A shortcut names no app: `app_id` is
    the one whose socket or address the payload came by.
    """
    app_id = _text(payload.get("api_app_id")) or app_id
    owner = _authorized(payload) or _installed_team(payload) or _owner(payload) or _owner_beside(payload)
    if app_id is None or owner is None:
        missing = "api_app_id" if app_id is None else "team or enterprise"
        raise UnidentifiedConnection(f"the payload has no {missing}")
    return f"{app_id}:{owner}"


def is_channel_name(channel: str) -> bool:
    """Whether a channel is called by its name, and not by its id."""
    return channel.startswith("#")


def sealed_for(connection: str) -> str:
    """What the sealed fields of a connection's envelopes are sealed for: they open for nothing else."""
    return f"a secret in an envelope of {connection}"


def event_id_of(kind: EnvelopeKind, payload: Payload, envelope_id: str | None = None, app_id: str | None = None) -> str:
    """The name of a delivery: Slack's event_id with the app, else the envelope's id, else a hash of the payload.

    Two apps in one workspace get the same event_id, hence the app. Give the payload as it was received.
    """
    app_id = _text(payload.get("api_app_id")) or app_id or "-"
    event_id = _text(payload.get("event_id"))
    if kind == "events_api" and event_id:
        return f"{app_id}:{event_id}"
    if envelope_id:
        return f"{app_id}:{envelope_id}"
    return f"{app_id}:{payload_hash(payload)}"


def cause_of_payload(kind: EnvelopeKind, payload: Payload) -> Cause | None:
    """What the person did, or none where nobody did anything that could start a run or a stop."""
    if kind == "slash_commands":
        return _named("command", payload.get("trigger_id"))
    if kind == "interactive":
        return _cause_of_interaction(payload)
    event = payload.get("event")
    return _cause_of_event(event, payload.get("event_id")) if isinstance(event, dict) else None


def _authorized(payload: Payload) -> str | None:
    authorizations = payload.get("authorizations")
    if not isinstance(authorizations, list) or not authorizations or not isinstance(authorizations[0], dict):
        return None
    return _owner(authorizations[0])


def _owner(carrier: Payload) -> str | None:
    """The team or, for an organisation-wide installation, the enterprise that a payload or authorization names."""
    team = _text(carrier.get("team_id")) or _id_in(carrier.get("team"))
    enterprise = _text(carrier.get("enterprise_id")) or _id_in(carrier.get("enterprise"))
    return enterprise or team if _is_true(carrier.get("is_enterprise_install")) else team or enterprise


def _installed_team(payload: Payload) -> str | None:
    """In a modal, the team that the app is installed in; `team` is the person's, which Slack Connect makes another."""
    view = payload.get("view")
    return _text(view.get("app_installed_team_id")) if isinstance(view, dict) else None


def _owner_beside(payload: Payload) -> str | None:
    """The team of the person or of the view, where an interaction names none itself."""
    for place in (payload.get("user"), payload.get("view")):
        if isinstance(place, dict) and (team := _text(place.get("team_id"))):
            return team
    return None


def _cause_of_interaction(payload: Payload) -> Cause | None:
    user = _id_in(payload.get("user"))
    match payload.get("type"):
        case "block_actions":
            actions = payload.get("actions")
            action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
            return _named("click", _surface(payload), action.get("action_id"), user, action.get("action_ts"))
        case "view_submission" | "view_closed" as kind:
            view = payload.get("view")
            view = view if isinstance(view, dict) else {}
            return _named(kind, view.get("id"), view.get("hash"), user)
        case "message_action" | "shortcut":
            return _named("shortcut", payload.get("callback_id"), user, payload.get("action_ts"))
        case _:
            return None


def _surface(payload: Payload) -> str | None:
    """The message or the view that a click was made on."""
    container = payload.get("container")
    if not isinstance(container, dict):
        return None
    return _text(container.get("message_ts")) or _text(container.get("view_id"))


def _cause_of_event(event: Payload, event_id: object) -> Cause | None:
    occurrence = event.get("event_ts") or event_id
    match event.get("type"):
        case "app_mention" | "message":
            return _cause_of_message(event)
        case "reaction_added":
            item = event.get("item")
            item = item if isinstance(item, dict) else {}
            return _named("reaction", item.get("channel"), item.get("ts"), event.get("reaction"), event.get("user"))
        case "member_joined_channel":
            return _named("join", event.get("channel"), event.get("user"), occurrence)
        case "agent_session_stopped":
            return _named("session_stop", event.get("channel"), event.get("thread_ts"), occurrence)
        case _:
            return None


def _cause_of_message(event: Payload) -> Cause | None:
    if _text(event.get("subtype")) in {"message_changed", "message_deleted"}:
        return None
    cause = _named("message", event.get("channel"), event.get("ts"))
    client_msg_id = _text(event.get("client_msg_id"))
    if cause is None or client_msg_id is None:
        return cause
    return Cause(cause.name, aliases=(f"client_msg:{event['channel']}:{client_msg_id}",))


def _named(kind: str, *parts: object) -> Cause | None:
    """A cause of these parts; none where one is missing, since a partial name would stand for too much."""
    texts = [_text(part) for part in parts]
    return None if None in texts else Cause(":".join([kind, *filter(None, texts)]))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _id_in(value: object) -> str | None:
    return _text(value.get("id")) if isinstance(value, dict) else None


def _is_true(value: object) -> bool:
    """Slack says it as a boolean in JSON and as a word in a form."""
    return value is True or value == "true"
