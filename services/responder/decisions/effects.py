"""The calls that change Slack: what each is called, what it carries to be known again by, and how it is settled."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from schemas import ids
from schemas.effect import EffectOf, EffectPurpose, Settlement

MARK: Final = "threadline_effect"
"""The type of the metadata that a message of ours carries."""

SETTLED: Final[Mapping[str, Settlement]] = {
    "chat.postMessage": "look_up",
    "chat.update": "repeat",
    "chat.delete": "repeat",
    "chat.startStream": "look_up",
    "chat.stopStream": "repeat",
    "chat.postEphemeral": "at_most_once",
    "reactions.add": "repeat",
    "views.open": "at_most_once",
    "tool": "at_most_once",
}
"""How a call is settled of which nobody knows whether Slack did it."""

NOWHERE: Final = frozenset({"views.open"})
"""What shows in no channel."""

DONE_ALREADY: Final[Mapping[str, frozenset[str]]] = {
    "reactions.add": frozenset({"already_reacted"}),
    "chat.delete": frozenset({"message_not_found"}),
    "chat.stopStream": frozenset({"message_not_in_streaming_state", "stopped_by_user", "message_not_found"}),
}
"""What Slack says where a repeated call finds its own effect: as good as a yes."""


NOT_CHANGED: Final = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "streaming_state_conflict"}
)
"""Slack has no such message any more, or does not change it: another may be posted."""


@dataclass(frozen=True)
class Subject:
    """What a call is made for: a run, or another command; and where it shows."""

    command_id: str
    tenant_id: str
    connection: str
    team_id: str
    channel_id: str
    thread_ts: str | None
    key: str
    """The partition key of the command, which is the ledger's too."""
    partition: int
    """Of the command. Whoever has it may make the call, and nobody else."""
    run_id: str | None = None
    asked_ts: str | None = None
    """The message that asked: nothing of ours is older."""
    post_id: str | None = None
    """A program's own name for the message."""
    thread_of: str | None = None
    """The program's name for the message in whose thread it is said."""

    @property
    def name(self) -> str:
        """What its effects are named after."""
        return self.run_id or self.command_id


@dataclass(frozen=True)
class Call:
    """One call, named: asked for again, it has the same name."""

    effect_id: str
    method: str
    purpose: EffectPurpose
    arguments: Mapping[str, Any]
    of_parts: int = 1
    """How many calls make up what it is a part of."""
    may_repeat: bool = False
    """Whether it does no harm to make it again, where its method does not say so."""

    @property
    def settlement(self) -> Settlement:
        """How it is settled."""
        return "repeat" if self.may_repeat else SETTLED[self.method]


def call(subject: Subject, method: str, purpose: EffectPurpose, arguments: Mapping[str, Any], **more: int) -> Call:
    """A call of a subject's: `part` says which of several of the same purpose, `of_parts` of how many."""
    effect_id = ids.effect_id(subject.name, purpose, more.get("part", 0))
    said = dict(arguments) if method in NOWHERE else {"channel": subject.channel_id, **arguments}
    if method == "chat.postMessage":
        said["metadata"] = mark(subject, effect_id)
    return Call(effect_id, method, purpose, said, more.get("of_parts", 1))


def mark(subject: Subject, effect_id: str) -> dict[str, Any]:
    """The metadata by which a message is known again."""
    known = {"effect_id": effect_id, "command_id": subject.command_id}
    if subject.run_id is not None:
        known["run_id"] = subject.run_id
    return {"event_type": MARK, "event_payload": known}


def effect_of_message(message: Mapping[str, Any]) -> str | None:
    """Which effect a message in Slack is, where it is one of ours."""
    metadata = message.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping) or metadata.get("event_type") != MARK or not isinstance(payload, Mapping):
        return None
    found = payload.get("effect_id")
    return found if isinstance(found, str) else None


def is_effect(message: Mapping[str, Any], made: Call, connection: str) -> bool:
    """Whether a message is what a call made.

    A stream takes no metadata: it is the message of this app that is still being streamed, or begins with its words.
    """
    if made.method != "chat.startStream":
        return effect_of_message(message) == made.effect_id
    if message.get("metadata") or message.get("app_id", app_of(connection)) != app_of(connection):
        return False
    text = message.get("text")
    begins = isinstance(text, str) and text.startswith(streamed(made.arguments).strip())
    return begins and (bool(message.get("bot_id")) or message.get("streaming_state") is not None)


def streamed(arguments: Mapping[str, Any]) -> str:
    """The words that a stream begins with."""
    chunks = arguments.get("chunks")
    texts = [each.get("text") for each in chunks if isinstance(each, dict)] if isinstance(chunks, list) else []
    return "".join(each for each in texts if isinstance(each, str))


def app_of(connection: str) -> str:
    """The app of a connection."""
    return connection.partition(":")[0]


def entry_of(subject: Subject, made: Call, attempt: int = 1) -> EffectOf:
    """The call as the ledger names it."""
    return EffectOf(
        effect_id=made.effect_id,
        run_id=subject.run_id,
        command_id=subject.command_id,
        tenant_id=subject.tenant_id,
        connection=subject.connection,
        team_id=subject.team_id,
        channel_id=subject.channel_id or None,
        thread_ts=subject.thread_ts,
        thread_of=subject.thread_of,
        post_id=subject.post_id,
        method=made.method,
        purpose=made.purpose,
        attempt=attempt,
    )


def call_of(effect: EffectOf, arguments_json: str, of_parts: int) -> Call:
    """A call again, as the ledger kept it."""
    return Call(effect.effect_id, effect.method, effect.purpose, json.loads(arguments_json), of_parts)


def is_ts(name: str) -> bool:
    """Whether it is Slack's name for a message: seconds, a point, and what makes it the only one."""
    seconds, point, rest = name.partition(".")
    return bool(point) and seconds.isdecimal() and rest.isdecimal()
