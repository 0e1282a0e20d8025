"""infra/compose.yaml on this machine's engine, as an operator runs it, under a name of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from services.slack_sim.client import SlackSim, slack_sim_at
from services.slack_sim.control.conditions import AMessage
from tests.engine.docker import ROOT, said
from tests.slack_sim.first import First

SERVICES: Final = ("ingress", "router", "responder", "supervisor")
STARTED: Final = ("redpanda", "postgres", "migrate", "topics", *SERVICES, "prometheus", "proxy", "slack-sim")
"""Grafana and Redpanda Console have no stand-in."""
WITHIN_S = 300.0
ANSWER_WITHIN_S = 180.0


@dataclass
class Deployment:
    """One project of compose."""

    name: str
    files: tuple[Path, ...]
    env_file: Path
    sim: SlackSim = field(init=False)
    first: First = field(init=False)

    async def compose(self, *arguments: str, stdin: str | None = None, code: int = 0) -> str:
        """Runs `docker compose …`."""
        files = (word for file in self.files for word in ("--file", str(file)))
        command = ("docker", "compose", "--project-name", self.name, "--env-file", str(self.env_file), *files)
        return await said(*command, *arguments, stdin=stdin, code=code)

    async def threadline(self, *arguments: str, stdin: str | None = None, code: int = 0) -> str:
        """An operator's command."""
        return await self.compose("run", "--rm", "-T", "threadline", *arguments, stdin=stdin, code=code)

    async def up(self, *arguments: str) -> None:
        """Everything that runs here, and waits until the services say that they are ready."""
        await self.compose("up", "--detach", *arguments, *STARTED)
        await self.until_healthy(*SERVICES)

    async def until_healthy(self, *services: str) -> None:
        """Waits for each process of these."""

        async def all_are() -> bool:
            return all([await self.is_healthy(each) for each in services])

        await until(all_are)

    async def is_healthy(self, service: str) -> bool:
        """Whether every process of a service is."""
        found = await self.inspected(service)
        return bool(found) and all(each["State"].get("Health", {}).get("Status") == "healthy" for each in found)

    async def ids(self, service: str) -> list[str]:
        """Its containers that run."""
        return (await self.compose("ps", "--quiet", service)).split()

    async def inspected(self, service: str) -> list[dict[str, Any]]:
        """What the engine knows of them."""
        ids = await self.ids(service)
        found: list[dict[str, Any]] = json.loads(await said("docker", "inspect", *ids)) if ids else []
        return found

    async def address(self, service: str, port: int) -> str:
        """Where a published port is reached."""
        return f"http://{(await self.compose('port', service, str(port))).strip()}"

    async def python(self, container: str, code: str) -> str:
        """What some Python says inside of a container of ours."""
        return await said("docker", "exec", container, "python", "-c", code)

    async def ask(self, text: str, thread_ts: str | None = None) -> str:
        """Somebody mentions the agent. Gives the message's ts."""
        return await self.sim.say(self.first.you, self.first.support, f"<@{self.first.bot_user}> {text}", thread_ts)

    async def is_answered(self, ts: str, text: str) -> None:
        """Waits for the reply in its thread."""
        reply = AMessage(
            channel_id=self.first.support, thread_ts=ts, user_id=self.first.bot_user, contains=f"&gt; {text}"
        )
        await self.sim.wait(reply, ANSWER_WITHIN_S)

    async def answers(self, text: str) -> str:
        """Asks, and waits for the reply."""
        ts = await self.ask(text)
        await self.is_answered(ts, text)
        return ts

    @asynccontextmanager
    async def talking(self) -> AsyncIterator[None]:
        """With the local Slack at hand. Its port is another one after each start."""
        async with slack_sim_at(await self.address("slack-sim", 8585)) as sim:
            self.sim = sim
            self.first = First.of(await sim.world())
            yield


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    """Asks until the answer is yes."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            if await question():
                return
            await asyncio.sleep(0.5)


def write_env(file: Path, given: Mapping[str, str]) -> None:
    """An .env as the example has it, filled in."""
    lines = []
    for line in (ROOT / "infra/.env.example").read_text("utf-8").splitlines():
        name = line.lstrip("#").partition("=")[0]
        lines.append(f"{name}={given[name]}" if "=" in line and name in given else line)
    file.write_text("\n".join(lines) + "\n", "utf-8")
