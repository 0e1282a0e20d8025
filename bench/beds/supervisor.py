"""A supervisor in a process of its own, and programs that report to it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from bench.beds.service import OwnService, own_service
from services.directory.owner import owner_database
from services.directory.tokens import Tokens, Wanted
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings

HTTP: Mapping[str, str] = {"THREADLINE_SUPERVISOR_HTTP_PORT": "0", "THREADLINE_SUPERVISOR_SESSION_S": "6"}


@dataclass(frozen=True)
class OwnSupervisor(OwnService):
    """The process, and where agents report."""

    @property
    def agents(self) -> str:
        """The address."""
        lines = [line for line in self.child.said().splitlines() if "agents report at" in line]
        return lines[-1].partition("agents report at ")[2].split()[0].strip('",}')


@asynccontextmanager
async def own_supervisor(
    folder: Path, environment: Mapping[str, str], *, ready: bool = True
) -> AsyncIterator[OwnSupervisor]:
    """Runs it in a folder, where its state is."""
    async with own_service(OwnSupervisor, "supervisor", folder, {**HTTP, **environment}, ready=ready) as found:
        yield found


async def token_for(database: DatabaseSettings, tenant_id: str) -> str:
    """A token with which a tenant's agents report."""
    async with owner_database(database) as owner:
        made = await Tokens(owner, SystemClock()).create(Wanted(tenant_id, "agents", ("agents",)))
    return made.token.get_secret_value()


@dataclass
class Reporter:
    """A program that reports by hand, as one without the SDK would."""

    address: str
    token: str
    session: ClientSession
    task_id: str = "task-1"
    agent_id: str = "deployer"
    channel: str | None = None
    """Where it is told of; the tenant's own channel without it."""
    _number: Any = field(default_factory=lambda: count(1))

    def event(self, named: str, **more: Any) -> dict[str, Any]:
        """One event, with a name of its own."""
        common = {"id": f"{self.task_id}-{next(self._number)}", "at": datetime.now(UTC).isoformat()}  # noqa: TID251 - a program of somebody else's
        return {"type": named, **common, "task_id": self.task_id, "agent_id": self.agent_id, **more}

    async def send(self, *events: dict[str, Any], **more: Any) -> tuple[int, Any]:
        """Reports. Gives what it is told."""
        where = {} if self.channel is None else {"channel": self.channel}
        return await self.ask("POST", "/v1/agents/events", {"events": list(events), **where, **more})

    async def start(self, **more: Any) -> None:
        """The task begins."""
        await self.taken(self.event("task.started", **{"task_name": "Deploy version 4", **more}))

    async def checkpoint(self, action: str, **more: Any) -> None:
        """It goes on."""
        await self.taken(self.event("task.checkpoint", action=action, **more))

    async def end(self, status: str = "complete", **more: Any) -> None:
        """It is over."""
        await self.taken(self.event("task.ended", status=status, **more))

    async def ask_to(self, action: str, arguments: dict[str, Any], **more: Any) -> str:
        """It waits for a person. Gives the approval's own name."""
        given = {"approval_id": f"{self.task_id}.{action.replace(' ', '-')[:40]}", "expires_in_s": 3600, **more}
        until = _later(given.pop("expires_in_s"))
        event = self.event("approval.requested", action=action, arguments=arguments, expires_at=until, **given)
        await self.taken(event)
        name: str = given["approval_id"]
        return name

    def question(self, name: str, arguments: dict[str, Any], expires_in_s: float) -> dict[str, Any]:
        """A question to be sent, whose name stands in what people read."""
        more = {"approval_id": name, "action": f"do what {name} says", "expires_at": _later(expires_in_s)}
        return self.event("approval.requested", arguments=arguments, **more)

    async def taken(self, *events: dict[str, Any], **more: Any) -> None:
        """Reports, and must be taken in."""
        status, answer = await self.send(*events, **more)
        if status != 202 or answer["refused"]:  # noqa: PLR2004 - accepted
            raise RuntimeError(f"{status}: {answer}")

    async def answer(self, approval_id: str, within_s: float = 20.0) -> dict[str, Any]:
        """What became of an approval, when something did."""
        async with asyncio.timeout(within_s):
            while True:
                status, found = await self.ask("GET", f"/v1/approvals/{approval_id}?wait=5&task={self.task_id}")
                if status == 200 and found["state"] != "open":  # noqa: PLR2004 - found
                    answer: dict[str, Any] = found
                    return answer
                await asyncio.sleep(0.05)

    async def alive(self, version: int = 0, wait_s: float = 0.0, **more: Any) -> dict[str, Any]:
        """It says that it lives, and hears of orders."""
        body = {"tasks": {self.task_id: version}, "wait_s": wait_s, **more}
        _, found = await self.ask("POST", "/v1/agents/alive", body)
        orders: dict[str, Any] = found["tasks"][self.task_id]
        return orders

    async def shown(self) -> dict[str, Any]:
        """Its task as the supervisor shows it."""
        _, found = await self.ask("GET", f"/tasks/{self.task_id}")
        task: dict[str, Any] = found
        return task

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request. Bytes are sent as they are."""
        sent = {} if body is None else {"data": body} if isinstance(body, bytes) else {"json": body}
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.request(method, f"{self.address}{path}", headers=headers, **sent) as answer:
            return answer.status, await answer.json()


def _later(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()  # noqa: TID251 - a program of somebody else's
