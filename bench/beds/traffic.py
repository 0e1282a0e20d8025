"""What comes in from Slack on a common day: a stated mix of envelopes, the same for each seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.envelope import Envelope, EnvelopeKind, Received, SlackEnvelope
from schemas.slack import connection_of, event_id_of
from services.directory.document import Agent, Connection, Document, Installation, Limit, Tenant

APP, BOT = "A1", "UBOT"
TEXT = "words that somebody could have said in the course of a working day, " * 8
MIX = {
    "chatter": 52,
    "mention": 13,
    "twin": 13,
    "dm": 6,
    "bot": 5,
    "edit": 4,
    "emoji": 4,
    "click": 2,
    "stop": 1,
}
"""In percent: what channels hear and nobody is asked by, mentions and their message halves, direct messages, …"""


@dataclass
class Traffic:
    """Envelopes of so many workspaces."""

    seed: int
    workspaces: int = 20
    number: int = 0
    asked: tuple[str, str, str] | None = None
    """The last mention: its workspace, channel and ts. Its other half comes next."""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - a seeded plan

    def document(self, per_minute: int = 100_000) -> Document:
        """A directory in which every workspace has a tenant and an agent."""
        return Document(version=1, tenants=tuple(self._tenant(number, per_minute) for number in range(self.workspaces)))

    def _tenant(self, number: int, per_minute: int) -> Tenant:
        workspace = f"T{number}"
        return Tenant(
            id=f"tenant-{number}",
            name=f"Tenant {number}",
            connections=(Connection(workspace=workspace),),
            installations=(Installation(app=APP, workspace=workspace, bot_user=BOT),),
            agents=(Agent(id="mara", name="Mara", default=True),),
            limits=(Limit(scope="connection", per_minute=per_minute),),
        )

    def envelopes(self, count: int, at_s: float, per_second: float = 100.0) -> Iterator[Envelope]:
        """So many, received at a steady pace from a moment on."""
        kinds, weights = list(MIX), list(MIX.values())
        for step in range(count):
            kind = "twin" if self.asked is not None else self._chance.choices(kinds, weights)[0]
            kind = "chatter" if kind == "twin" and self.asked is None else kind
            yield self.one(kind, at_s + step / per_second)

    def one(self, kind: str, at_s: float, workspace: str | None = None) -> SlackEnvelope:
        """One of a kind."""
        self.number += 1
        workspace = workspace or f"T{self._chance.randrange(self.workspaces)}"
        ts, channel, user = f"{int(at_s)}.{self.number:06d}", f"C{self.number % 7}", f"U{self.number % 31}"
        said: dict[str, Any] = {
            "type": "message",
            "user": user,
            "text": TEXT,
            "ts": ts,
            "channel": channel,
            "event_ts": ts,
        }
        match kind:
            case "mention":
                self.asked = (workspace, channel, ts)
                event = {**said, "type": "app_mention", "text": f"<@{BOT}> {TEXT}"}
            case "twin" if self.asked is not None:
                workspace, channel, ts = self.asked
                self.asked = None
                event = {**said, "text": f"<@{BOT}> {TEXT}", "ts": ts, "event_ts": ts, "channel": channel}
            case "dm":
                event = {**said, "channel": f"D{self.number % 7}", "channel_type": "im"}
            case "bot":
                event = {**said, "bot_id": "B1", "app_id": APP}
            case "edit":
                event = {**said, "subtype": "message_changed", "hidden": True}
            case "emoji":
                item = {"type": "message", "channel": channel, "ts": ts}
                event = {"type": "reaction_added", "user": user, "reaction": "eyes", "item": item, "event_ts": ts}
            case "click" | "stop":
                return self._interaction(kind, workspace, channel, at_s)
            case _:
                event = {**said, "channel_type": "channel"}
        return self._envelope("events_api", self._outer(event, workspace), at_s)

    def _outer(self, event: dict[str, Any], workspace: str) -> dict[str, Any]:
        authorization: dict[str, Any] = {"enterprise_id": None, "team_id": workspace, "user_id": BOT, "is_bot": True}
        return {
            "type": "event_callback",
            "team_id": workspace,
            "api_app_id": APP,
            "event_id": f"Ev{self.seed}-{self.number}",
            "event_time": 1_772_442_900,
            "authorizations": [{**authorization, "is_enterprise_install": False}],
            "is_ext_shared_channel": False,
            "event_context": "4-" + "x" * 80,
            "event": event,
        }

    def _interaction(self, kind: str, workspace: str, channel: str, at_s: float) -> SlackEnvelope:
        name, user = f"e{self.seed}-{self.number}", f"U{self.number % 31}"
        if kind == "stop":
            payload: dict[str, Any] = {
                "command": "/stop",
                "text": "",
                "api_app_id": APP,
                "team_id": workspace,
                "user_id": user,
            }
            return self._envelope("slash_commands", {**payload, "channel_id": channel, "trigger_id": name}, at_s, name)
        container = {"type": "message", "message_ts": "5.5", "channel_id": channel}
        value = "good:8a6e0804-2bd0-5672-b79d-d97027f9071a"
        action = {"action_id": "threadline:feedback", "value": value, "action_ts": f"{self.number}.5"}
        payload = {"type": "block_actions", "api_app_id": APP, "team": {"id": workspace}, "user": {"id": user}}
        return self._envelope("interactive", {**payload, "container": container, "actions": [action]}, at_s, name)

    def _envelope(
        self, kind: EnvelopeKind, payload: dict[str, Any], at_s: float, envelope_id: str | None = None
    ) -> SlackEnvelope:
        at = datetime.fromtimestamp(at_s, UTC)
        return SlackEnvelope(
            at=at,
            kind=kind,
            connection=connection_of(payload, APP),
            event_id=event_id_of(kind, payload, envelope_id, APP),
            received=Received(transport="socket", received_at=at, ingress="bench", envelope_id=envelope_id),
            payload=payload,
        )
