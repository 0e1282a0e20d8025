"""What came in: an envelope of Slack's, a word about the connection, or something that cannot be read."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, get_args
from urllib.parse import parse_qsl

from schemas.envelope import EnvelopeKind
from schemas.slack import UnidentifiedConnection, connection_of, event_id_of

Json = dict[str, Any]

KINDS: Final[dict[object, EnvelopeKind]] = {kind: kind for kind in get_args(EnvelopeKind)}
_COUNT = re.compile(r"[0-9]{1,6}")
LONGEST_REASON = 80
"""Of a retry, in characters."""


@dataclass(frozen=True)
class Delivery:
    """One delivery of Slack's, as it was received."""

    kind: EnvelopeKind
    payload: Json
    connection: str
    event_id: str
    envelope_id: str | None = None
    retry_attempt: int = 0
    retry_reason: str | None = None


@dataclass(frozen=True)
class Hello:
    """A socket is open, and Slack says so."""

    app_id: str | None


@dataclass(frozen=True)
class Farewell:
    """Slack asks a socket to go."""

    reason: str


@dataclass(frozen=True)
class Challenge:
    """Slack asks whether an address is ours: the text is to be said back."""

    text: str


@dataclass(frozen=True)
class Probe:
    """Slack looks whether anybody is there. It is no event."""


@dataclass(frozen=True)
class Unreadable:
    """No envelope. Its bytes are kept as a dead letter."""

    reason: str
    """A short code."""
    detail: str
    envelope_id: str | None = None
    """By which it can be acknowledged all the same."""


Arrived: TypeAlias = Delivery | Hello | Farewell | Challenge | Probe | Unreadable


@dataclass(frozen=True)
class Retry:
    """Slack says that it sends something again."""

    attempt: int = 0
    reason: str | None = None

    @staticmethod
    def of(attempt: object, reason: object) -> "Retry":
        """As it stands in an envelope or in headers; what makes no sense says nothing."""
        digits = attempt if isinstance(attempt, str) else str(attempt) if isinstance(attempt, int) else ""
        number = int(digits) if _COUNT.fullmatch(digits) else 0
        words = reason[:LONGEST_REASON] if isinstance(reason, str) and reason.isprintable() else ""
        return Retry(number, words or None)


def of_frame(text: str, app_id: str | None) -> Arrived:
    """What a text frame of a socket says. `app_id` is the app whose socket it is."""
    try:
        frame = parsed(text)
    except ValueError as error:
        return Unreadable("not_json", f"a frame of a socket is no JSON object: {error}")
    envelope_id = _text(frame.get("envelope_id"))
    if envelope_id is None:
        return _word_of(frame)
    named, payload = frame.get("type"), frame.get("payload")
    kind = KINDS.get(named) if isinstance(named, str) else None
    if kind is None or not isinstance(payload, dict):
        return Unreadable("not_an_envelope", "it has an envelope_id, and no type or payload of Slack's", envelope_id)
    retry = Retry.of(frame.get("retry_attempt"), frame.get("retry_reason"))
    return _delivery(kind, payload, app_id, envelope_id, retry)


def _word_of(frame: Json) -> Arrived:
    match frame.get("type"):
        case "hello":
            about = frame.get("connection_info")
            return Hello(_text(about.get("app_id")) if isinstance(about, dict) else None)
        case "disconnect":
            return Farewell(_text(frame.get("reason")) or "unknown")
        case _:
            return Unreadable("not_an_envelope", "it has no envelope_id, and is neither a hello nor a disconnect")


def of_request(body: str, content_type: str, app_id: str | None, retry: Retry) -> Arrived:
    """What the body of an HTTP request of Slack's says."""
    if content_type == "application/x-www-form-urlencoded":
        return _of_form(dict(parse_qsl(body, keep_blank_values=True)), app_id, retry)
    try:
        payload = parsed(body)
    except ValueError as error:
        return Unreadable("not_json", f"the body is no JSON object: {error}")
    if payload.get("type") == "url_verification" and isinstance(payload.get("challenge"), str):
        return Challenge(payload["challenge"])
    return _delivery("events_api", payload, app_id, None, retry)


def _of_form(fields: Mapping[str, str], app_id: str | None, retry: Retry) -> Arrived:
    if fields.get("ssl_check") == "1":
        return Probe()
    if "payload" in fields:
        try:
            return _delivery("interactive", parsed(fields["payload"]), app_id, None, retry)
        except ValueError as error:
            return Unreadable("not_json", f"the form's payload is no JSON object: {error}")
    if "command" in fields:
        return _delivery("slash_commands", dict(fields), app_id, None, retry)
    return Unreadable("not_an_envelope", "the form is neither an interaction nor a slash command")


def _delivery(
    kind: EnvelopeKind, payload: Json, app_id: str | None, envelope_id: str | None, retry: Retry
) -> Delivery | Unreadable:
    try:
        connection = connection_of(payload, app_id)
    except UnidentifiedConnection as error:
        return Unreadable("no_connection", str(error), envelope_id)
    try:
        event_id = event_id_of(kind, payload, envelope_id, app_id)
    except (RecursionError, ValueError) as error:
        return Unreadable("malformed_payload", f"it cannot be named: {type(error).__name__}", envelope_id)
    return Delivery(kind, payload, connection, event_id, envelope_id, retry.attempt, retry.reason)


def parsed(text: str) -> Json:
    """A JSON object. The error never quotes the text."""
    try:
        found = json.loads(text, parse_constant=_refused)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at {error.pos}") from None
    if not isinstance(found, dict):
        raise ValueError(f"it is a {type(found).__name__}")  # noqa: TRY004 - it is the text that is wrong
    return found


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
