"""Everything that is there when a scenario is over: on the topics, in Slack, at the model, and in the logs."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.beds.answered import Entry, Stands, entries, messages_of, on_topics
from bench.beds.commits import Look
from bench.beds.decided import Seen, seen
from bench.beds.speaking import NAMED
from bench.beds.workspaces import Workspaces
from bench.chaos.people import Said
from bench.chaos.scenario import Going
from bench.chaos.stage import Stage
from bench.story import FINAL
from schemas.command import RunRequested
from schemas.operation import CommandsGone, LossAccepted
from schemas.run import RunState
from schemas.topics import AUDIT_DECISIONS, AUDIT_OPERATIONS, RUNS_COMMANDS, SLACK_INBOUND, TOPICS, Topic
from services.directory.document import Tenant
from services.slack_sim.control import asks
from services.slack_sim.control.answers import EnvelopeShown

Where = tuple[int, int]


@dataclass(frozen=True)
class Facts:
    """All of it."""

    stands: Stands
    workspaces: Workspaces
    tenants: tuple[Tenant, ...]
    """As the directory describes them."""
    said: list[Said]
    envelopes: list[EnvelopeShown]
    inbound: list[Seen]
    commands: list[Seen]
    """What stands on runs.commands, whether or not it can be read."""
    decisions: list[tuple[Seen, dict[str, Any]]]
    """Each that stands on the topic, repeats among them."""
    losses: list[LossAccepted]
    secrets_seen: list[str]
    """Where a token or key stands that must stand nowhere."""
    exits: dict[str, int]
    """Services that ended by themselves."""
    forgotten: frozenset[int]
    """What was asked by commands that were deleted before they were begun, of which a responder took note."""
    left: int
    """What was not done when there was no more waiting."""

    @property
    def decided(self) -> dict[Where, dict[str, Any]]:
        """The first decision about each record of the log."""
        found: dict[Where, dict[str, Any]] = {}
        for _, each in self.decisions:
            found.setdefault((each["source_partition"], each["source_offset"]), each)
        return found

    def is_lost(self, partition: int, offset: int) -> bool:
        """Whether an operator took note that it was never decided."""
        return any(
            each.partition == partition and (each.first_lost or 0) <= offset < each.go_on_at for each in self.losses
        )

    def times(self, what: Going) -> list[float]:
        """When each event was acknowledged, decided, or answered."""
        match what:
            case "acks":
                found: Iterable[float | None] = (each.acknowledged_at for each in self.envelopes)
            case "decisions":
                found = (each.appended_ms / 1000 for each, _ in self.decisions)
            case _:
                found = (each.appended_ms / 1000 for each in self.stands.audit if _is_final(each))
        return sorted(each for each in found if each is not None)


def _is_final(entry: Entry) -> bool:
    return isinstance(entry.event, RunState) and entry.event.state in FINAL


@dataclass(frozen=True)
class Watched:
    """What was seen while it went on."""

    looks: list[Look]
    away: list[tuple[float, float]]
    left: int


async def facts(stage: Stage, said: list[Said], watched: Watched) -> Facts:
    """Gathers it."""
    shown, emoji = await messages_of(stage.sim, stage.workspaces.app)
    raw = {topic: [each async for each in seen(stage.kafka, topic)] for topic in TOPICS}
    found = await on_topics(stage.kafka)
    operations = [each.event for each in await entries(stage.kafka, AUDIT_OPERATIONS)]
    gone = [each for each in operations if isinstance(each, CommandsGone)]
    over = {getattr(each.event, "run_id", None) for each in found.audit if _is_final(each)}
    asked_for = [*stage.gone.commands, *found.commands]
    forgotten = [each for each in asked_for if _is_forgotten(each, gone, over)]
    stands = replace(
        found,
        commands=[each for each in asked_for if each not in forgotten],
        shown=shown,
        emoji=emoji,
        asked=stage.model.asked,
        threads={each.number: each.root for each in said},
        looks=watched.looks,
        away=watched.away,
    )
    return Facts(
        stands=stands,
        workspaces=stage.workspaces,
        tenants=stage.document.tenants,
        said=said,
        envelopes=(await stage.sim.ask(asks.ReadEnvelopes())).envelopes,
        inbound=[*stage.gone.inbound, *raw[SLACK_INBOUND]],
        commands=raw[RUNS_COMMANDS],
        decisions=[(each, json.loads(each.value)) for each in raw[AUDIT_DECISIONS]],
        losses=[each for each in operations if isinstance(each, LossAccepted)],
        secrets_seen=[*_on_topics(raw, _secrets(stage)), *_in_logs(stage.folder, _secrets(stage))],
        exits={f"{worker.service}: {how}": count for worker in stage.everybody for how, count in worker.exits.items()},
        forgotten=frozenset(_question(each.event) for each in forgotten if isinstance(each.event, RunRequested)),
        left=watched.left,
    )


def _question(command: RunRequested) -> int:
    return int(NAMED.findall(command.message.content)[-1])


def _is_forgotten(command: Entry, gone: list[CommandsGone], over: set[str | None]) -> bool:
    """Whether a responder took note that nobody could do it any more, and had not begun."""
    run_id = getattr(command.event, "run_id", command.id)
    return run_id not in over and any(
        each.partition == command.partition
        and each.first_lost <= command.offset < each.go_on_at
        and run_id not in each.begun
        for each in gone
    )


def _secrets(stage: Stage) -> list[bytes]:
    database = stage.ground.database.settings.database_url
    password = urlsplit(database.get_secret_value() if database is not None else "").password or ""
    tokens = [each.token for each in (*stage.workspaces.every, stage.nobodys)]
    named = [stage.environment[name] for name in ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "OPENAI_API_KEY")]
    return [each.encode() for each in (*tokens, *named, password) if each]


def _on_topics(raw: Mapping[Topic, list[Seen]], secrets: list[bytes]) -> Iterator[str]:
    for topic, records in raw.items():
        for each in records:
            record = b" ".join([each.key or b"", each.value, *(value or b"" for _, value in each.headers)])
            if any(secret in record for secret in secrets):
                yield f"{topic.name}/{each.partition}/{each.offset}"


def _in_logs(folder: Path, secrets: list[bytes]) -> Iterator[str]:
    for log in folder.glob("*.log"):
        text = log.read_bytes()
        if log.name != "slack-sim.log" and any(secret in text for secret in secrets):
            yield log.name
