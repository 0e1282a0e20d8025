"""What responders made of their commands: everything that stands on the topics and in a local Slack afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.beds.commits import Look
from bench.beds.speaking import Asked
from schemas.base import Event
from schemas.buttons import STOP
from schemas.record import CannotRead, UnknownEvent
from schemas.topics import AUDIT_RUNS, DEAD_LETTERS, RUNS_COMMANDS, RUNS_STOPS, SLACK_EFFECTS, Topic
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import reader, record_of, to_end
from services.slack_sim.client import SlackSim

THINKS = "Thinking…"


@dataclass(frozen=True)
class Entry:
    """One record, opened. A repeat is another."""

    id: str
    partition: int
    offset: int
    appended_ms: int
    event: Event | UnknownEvent


@dataclass(frozen=True)
class Shown:
    """One message of ours, as people see it."""

    team: str
    channel: str
    thread: str | None
    ts: str
    text: str
    marks: Mapping[str, str] = field(default_factory=dict)
    """What it carries to be known again by: effect_id, command_id, run_id."""
    is_under_way: bool = False
    """Whether it still says that more is to come."""


@dataclass(frozen=True)
class Stands:
    """All of it."""

    commands: list[Entry] = field(default_factory=list)
    stops: list[Entry] = field(default_factory=list)
    ledger: list[Entry] = field(default_factory=list)
    audit: list[Entry] = field(default_factory=list)
    dead: list[Entry] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    emoji: frozenset[tuple[str, str]] = frozenset()
    """Messages that carry one of ours: channel and ts."""
    asked: list[Asked] = field(default_factory=list)
    threads: Mapping[int, str] = field(default_factory=dict)
    """Where questions were asked that may have become no run."""
    looks: list[Look] = field(default_factory=list)
    away: list[tuple[float, float]] = field(default_factory=list)
    """When there was no broker: nobody hears of anything then."""


async def entries(kafka: KafkaSettings, topic: Topic) -> list[Entry]:
    """Everything on a topic that can be read, each partition in its order."""
    found = []
    async with reader(kafka, topic) as consumer:
        async for raw in to_end(consumer):
            record = record_of(raw, kafka.topic_prefix)
            try:
                attributes, event = record.decode()
            except CannotRead:
                continue  # it was put there as such
            found.append(Entry(attributes.id, record.partition, record.offset, record.appended_ms, event))
    return sorted(found, key=lambda each: (each.partition, each.offset))


async def on_topics(kafka: KafkaSettings) -> Stands:
    """Everything on the topics that a responder reads or writes."""
    return Stands(
        commands=await entries(kafka, RUNS_COMMANDS),
        stops=await entries(kafka, RUNS_STOPS),
        ledger=await entries(kafka, SLACK_EFFECTS),
        audit=await entries(kafka, AUDIT_RUNS),
        dead=await entries(kafka, DEAD_LETTERS),
    )


async def messages_of(sim: SlackSim, app: str) -> tuple[list[Shown], frozenset[tuple[str, str]]]:
    """Every message of the app, in threads and at the top of channels; and the messages that carry its emoji."""
    shown, emoji = [], set()
    for channel in (await sim.world()).channels:
        top = (await sim.transcript(channel.id)).messages
        threads = [(await sim.transcript(channel.id, each["ts"])).messages[1:] for each in top if "reply_count" in each]
        for each in [*top, *(reply for thread in threads for reply in thread)]:
            if each.get("app_id") == app:
                shown.append(_shown(channel.team_id, channel.id, each))
            if each.get("reactions"):
                emoji.add((channel.id, each["ts"]))
    return shown, frozenset(emoji)


def _shown(team: str, channel: str, message: Mapping[str, Any]) -> Shown:
    blocks = message.get("blocks") or ()
    said = [block["text"] for block in blocks if block["type"] == "markdown"]
    text = "\n\n".join(said) or message.get("text") or ""
    buttons = {element.get("action_id") for block in blocks for element in block.get("elements", ())}
    is_streamed = message.get("streaming_state") == "in_progress"
    marks = (message.get("metadata") or {}).get("event_payload") or {}
    return Shown(
        team=team,
        channel=channel,
        thread=message.get("thread_ts"),
        ts=message["ts"],
        text=text,
        marks=marks,
        is_under_way=STOP in buttons or is_streamed or THINKS in text,
    )
