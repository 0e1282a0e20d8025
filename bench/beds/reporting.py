"""Many agents that report, in a process of their own: open loop, a connection each, and every byte made beforehand.

What it costs must not count as what it measures: it says how much of a core it took, and how late it was.
"""

import asyncio
import json
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override

from bench.beds.child import child

SETTLES_S = 1.0
"""Between the connections' opening and the first report."""
ANSWERED_WITHIN_S = 30.0


@dataclass(frozen=True)
class Agent:
    """One that reports."""

    task_id: str
    token: str
    channel: str


@dataclass(frozen=True)
class Plan:
    """Each agent begins its task in the first round, and says in each that follows how far it is."""

    address: str
    agents: list[Agent]
    rounds: int
    every_s: float
    begins_s: float
    """Between the first round and the others: until people see that all of them have begun."""


@dataclass(frozen=True)
class Reported:
    """What came of it."""

    starts_ms: list[float]
    checkpoints_ms: list[float]
    """From when each was due until its answer was there."""
    late_ms: list[float]
    """How late each was sent: what the generator, or an answer before it, took."""
    answers: dict[str, int]
    """By status."""
    cpu_share: float
    """How much of a core it took."""
    ended_at: float


async def reported(plan: Plan, folder: Path) -> Reported:
    """Runs it, and waits until it is over."""
    given, log = folder / "plan.json", folder / "reporting.log"
    await asyncio.to_thread(given.write_text, json.dumps(asdict(plan)))
    command = (sys.executable, "-m", "bench.beds.reporting", str(given), str(folder / "reported.json"))
    async with child(command, {}, log, Path.cwd()) as started:
        if await started.process.wait() != 0:
            raise RuntimeError(f"the agents' process failed: {started.said()[-1500:]}")
    return Reported(**json.loads(await asyncio.to_thread((folder / "reported.json").read_text)))


class _Connection(asyncio.Protocol):
    """One agent's. What is due while an answer is awaited waits: the events of one task keep their order."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.waiting: deque[tuple[bytes, float, list[float]]] = deque()
        self.under_way: tuple[float, list[float]] | None = None
        self.answers: Counter[str] = Counter()
        self.late_ms: list[float] = []
        self._read = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, request: bytes, due: float, took_ms: list[float]) -> None:
        """Sends it, or keeps it until the one before is answered."""
        if self.under_way is not None:
            self.waiting.append((request, due, took_ms))
            return
        self.under_way = (due, took_ms)
        self.late_ms.append((time.perf_counter() - due) * 1000)
        self.transport.write(request)

    @override
    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._read = b""
        if self.under_way is not None:
            due, took_ms = self.under_way
            took_ms.append((time.perf_counter() - due) * 1000)
        self.answers[head[9:12].decode()] += 1
        self.under_way = None
        if self.waiting:
            self.send(*self.waiting.popleft())

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self.under_way is not None:
            self.answers["cut off"] += 1


def _length(head: bytes) -> int:
    found = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return int(found.partition(b":")[2])


async def _report(plan: Plan) -> Reported:
    place, loop = urlsplit(plan.address), asyncio.get_running_loop()
    made = datetime.now(UTC) + timedelta(seconds=SETTLES_S)  # noqa: TID251 - a program of somebody else's
    requests = [[_request(plan, each, at, made) for each in plan.agents] for at in range(plan.rounds + 1)]
    connections: list[_Connection] = []
    for _ in plan.agents:
        _, opened = await loop.create_connection(_Connection, place.hostname or "", place.port or 0)
        connections.append(opened)
    await asyncio.sleep(SETTLES_S)
    starts_ms: list[float] = []
    checkpoints_ms: list[float] = []
    begun, used = time.perf_counter(), time.process_time()
    for at, of_round in enumerate(requests):
        took_ms = checkpoints_ms if at else starts_ms
        for number, (request, to) in enumerate(zip(of_round, connections, strict=True)):
            due = begun + (at + number / len(connections)) * plan.every_s + (plan.begins_s if at else 0.0)
            if (ahead := due - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            to.send(request, due, took_ms)
    cpu_share = (time.process_time() - used) / (time.perf_counter() - begun - plan.begins_s)
    ended_at = time.time()  # noqa: TID251 - likewise
    async with asyncio.timeout(ANSWERED_WITHIN_S):
        while any(each.under_way for each in connections):  # noqa: ASYNC110 - many, and none to wait for alone
            await asyncio.sleep(0.05)
    answers = sum((each.answers for each in connections), Counter[str]())
    late_ms = [late for each in connections for late in each.late_ms]
    return Reported(starts_ms, checkpoints_ms, late_ms, dict(answers), cpu_share, ended_at)


def _request(plan: Plan, agent: Agent, at: int, made: datetime) -> bytes:
    moment = made + timedelta(seconds=at * plan.every_s + (plan.begins_s if at else 0.0))
    event: dict[str, Any] = {"id": f"e-{at}", "at": moment.isoformat(), "task_id": agent.task_id, "agent_id": "loader"}
    if at == 0:
        event |= {"type": "task.started", "task_name": f"Load {agent.task_id}", "context_size": 200_000}
    else:
        event |= {"type": "task.checkpoint", "action": f"Step {at} of {plan.rounds}", "step": f"{at}"}
        event |= {"progress": at / plan.rounds, "context_used": 1000 * at, "cost_usd": 0.001}
    body = json.dumps({"channel": agent.channel, "events": [event]}).encode()
    head = (
        f"POST /v1/agents/events HTTP/1.1\r\nHost: {urlsplit(plan.address).netloc}\r\n"
        f"Authorization: Bearer {agent.token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main(arguments: Sequence[str]) -> None:
    """Reads a plan, and writes what came of it."""
    given, told = map(Path, arguments)
    found = json.loads(given.read_text("utf-8"))
    plan = Plan(**{**found, "agents": [Agent(**each) for each in found["agents"]]})
    told.write_text(json.dumps(asdict(asyncio.run(_report(plan)))), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
