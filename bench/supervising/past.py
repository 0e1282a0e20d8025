"""The past of many tasks on agents.events, put there as a supervisor writes it."""

import asyncio
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from opentelemetry.trace import NoOpTracer

from schemas import ids
from schemas.agent import (
    AgentEvent,
    ApprovalDecided,
    ApprovalRequested,
    TaskArtifact,
    TaskCheckpoint,
    TaskEnded,
    TaskHome,
    TaskStarted,
)
from schemas.topics import AGENTS_EVENTS
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.kit.kafka.producer import Producer
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments

CHECKPOINTS: Final = 20
ASKS: Final = 0.25
"""A share of the tasks wants an approval."""
SIDE_BY_SIDE: Final = 50
"""Tasks that go on at the same time."""
AT_ONCE: Final = 2000
EVERY: Final = timedelta(seconds=3)


def past(seed: int, tasks: int, tenants: list[str], began: datetime) -> Iterator[tuple[AgentEvent, str]]:
    """Events and their names, those of several tasks in turns, as they come."""
    chance = random.Random(seed)  # noqa: S311 - a seeded plan
    for first in range(0, tasks, SIDE_BY_SIDE):
        at = began + EVERY * first
        going = [
            list(_task(chance, f"past-{number}", tenants[number % len(tenants)], at))
            for number in range(first, min(first + SIDE_BY_SIDE, tasks))
        ]
        for turn in range(max(map(len, going))):
            yield from (events[turn] for events in going if turn < len(events))


def _task(chance: random.Random, task_id: str, tenant_id: str, at: datetime) -> Iterator[tuple[AgentEvent, str]]:
    of_task: dict[str, Any] = {"task_id": task_id, "tenant_id": tenant_id, "agent_id": f"agent-{chance.randrange(40)}"}
    home = TaskHome(connection=f"A1:T{tenant_id}", team_id=f"T{tenant_id}", channel="C1")
    asked_after = chance.randrange(CHECKPOINTS) if chance.random() < ASKS else None

    def common(nth: int) -> dict[str, Any]:
        moment = at + nth * EVERY
        return {**of_task, "at": moment, "home": home, "token_id": "past", "received_at": moment}

    def named(event: AgentEvent, what: str) -> tuple[AgentEvent, str]:
        return event, ids.task_record_id(tenant_id, task_id, what)

    yield named(
        TaskStarted(**common(0), task_name=f"Deploy {task_id}", context_size=200_000, repo_scope="acme/shop"), "start"
    )
    for nth in range(1, CHECKPOINTS + 1):
        went_on = TaskCheckpoint(
            **common(nth), action=f"Running step {nth} of the plan", progress=nth / (CHECKPOINTS + 1),
            step=f"{nth} of {CHECKPOINTS}", context_used=5000 * nth, cost_usd=0.01,
        )  # fmt: skip
        yield named(went_on, f"c-{nth}")
        if nth == asked_after:
            yield from (named(each, f"{each.type}-{nth}") for each in _approval(common(nth), of_task, chance))
    yield named(
        TaskArtifact(**common(21), artifact="pull_request", title="The change", link="https://example.com/7"), "made"
    )
    yield named(TaskEnded(**common(22), status=chance.choice(["complete", "error", "cancelled"])), "end")


def _approval(common: dict[str, Any], of_task: dict[str, Any], chance: random.Random) -> Iterator[AgentEvent]:
    arguments = '{"to":"production","version":4}'
    digest = ids.approval_hash("deploy", {"to": "production", "version": 4})
    name = ids.approval_id(of_task["tenant_id"], of_task["task_id"], "deploy", "asked")
    yield ApprovalRequested(
        **common, approval_id=name, request_id="deploy", action="deploy", arguments_json=arguments,
        arguments_hash=digest, expires_at=common["at"] + timedelta(hours=1),
    )  # fmt: skip
    yield ApprovalDecided(
        **of_task, at=common["at"] + timedelta(seconds=1), approval_id=name, arguments_hash=digest,
        outcome=chance.choice(["approved", "rejected"]), decided_by="U1", via="slack", directory_revision=1,
    )  # fmt: skip


async def put(kafka: KafkaSettings, events: Iterator[tuple[AgentEvent, str]]) -> int:
    """All of them, durable when it returns. Gives how many."""
    count, waiting = 0, []
    async with Producer(kafka, "supervisor", Instruments(SystemClock(), NoEmitter(), NoOpTracer())) as producer:
        for event, name in events:
            waiting.append(await producer.send(AGENTS_EVENTS, event.task_id, event, name))
            count += 1
            if len(waiting) >= AT_ONCE:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)
    return count
