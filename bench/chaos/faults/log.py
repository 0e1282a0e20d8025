"""What stands on the topics: rubbish, a retention that passed a group, and an audit that takes nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.beds.answered import entries
from bench.beds.child import child
from bench.beds.decided import seen
from bench.beds.topics import AS_USUAL, NOTHING, delete_all, takes_up_to
from bench.chaos.faults.kind import FaultKind, Struck
from bench.chaos.stage import READY_WITHIN_S
from schemas.topics import AUDIT_DECISIONS, AUDIT_RUNS, BY_NAME, RUNS_COMMANDS, SLACK_INBOUND
from services.kit.kafka.writer import Writer

POISON = (
    (b"not json at all {", ()),
    (b"", ()),
    (b'{"type": "nobody.knows.this"}', ()),
    (b"\xff\xfe\x00rubbish", ((("ce_id", b"\xff"),))),
    (b"[]", (("ce_id", b"1"), ("ce_type", b"slack.envelope"), ("ce_source", b"/"), ("ce_time", b"yesterday"))),
)
"""What nobody can read: no JSON, nothing, a type that is not known, headers that are no text, a time that is none."""
AWAY_S = 5.0
FLOOD = 4
"""So many times each kind: as many as a router takes in a row."""


@asynccontextmanager
async def _poison(struck: Struck) -> AsyncIterator[None]:
    """A little of each kind, where a workspace's own records are."""
    await _put_rubbish(struck, times=1)
    yield


@asynccontextmanager
async def _flood(struck: Struck) -> AsyncIterator[None]:
    """So much of it that the router reads no further there, until an operator has looked and lets it go on."""
    await _put_rubbish(struck, times=FLOOD)
    await struck.stage.worker("router").says("is paused at offset", READY_WITHIN_S)
    yield
    await _command(struck, "dlq", "resume")


async def _put_rubbish(struck: Struck, times: int) -> None:
    topic, workspaces = BY_NAME[struck.scenario.fault.told["topic"]], struck.stage.workspaces
    key = f"{workspaces.app}:{workspaces.every[0].team}".encode()
    async with Writer(struck.stage.kafka, "chaos") as writer:
        for value, headers in POISON * times:
            await (await writer.hand_over(topic, key, value, headers))


@asynccontextmanager
async def _audit_refuses(struck: Struck) -> AsyncIterator[None]:
    """The topics of the audit take no record of any size that there is."""
    for topic in (AUDIT_DECISIONS, AUDIT_RUNS):
        await takes_up_to(struck.stage.kafka, topic, NOTHING)
    yield
    for topic in (AUDIT_DECISIONS, AUDIT_RUNS):
        await takes_up_to(struck.stage.kafka, topic, AS_USUAL)


@asynccontextmanager
async def _retention(struck: Struck) -> AsyncIterator[None]:
    """While a service is away, what it has not read is deleted; it comes back, and an operator accepts the loss."""
    stage, told = struck.stage, struck.scenario.fault.told
    worker = stage.worker(told["of"])
    await worker.end(gently=False)
    await asyncio.sleep(AWAY_S)
    if told["of"] == "router":
        stage.gone.inbound += [each async for each in seen(stage.kafka, SLACK_INBOUND)]
    else:
        stage.gone.commands += await entries(stage.kafka, RUNS_COMMANDS)
    await delete_all(stage.kafka, SLACK_INBOUND if told["of"] == "router" else RUNS_COMMANDS)
    await worker.start()
    if told["of"] == "router":
        await worker.says("is not read: retention deleted", READY_WITHIN_S)
        await _command(struck, "offsets", "accept-loss", "--yes")
    yield


async def _command(struck: Struck, *words: str) -> None:
    told = struck.stage.worker("router").environment
    command = (sys.executable, "-m", "threadline", *words)
    log = struck.stage.folder / "commands.log"
    async with child(command, told, log, struck.stage.folder) as running:
        if await running.process.wait() != 0:
            raise RuntimeError(f"threadline {' '.join(words)} failed: {running.said()[-500:]}")


KINDS = {
    "poison": FaultKind(_poison),
    "flood_of_poison": FaultKind(_flood),
    "audit_refuses": FaultKind(_audit_refuses),
    "retention": FaultKind(_retention),
}
