"""What people see of tasks in a local Slack: each task's own message, and what stands under it."""

import asyncio
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from schemas.agent import AgentStatus
from services.slack_sim.client import SlackSim
from services.slack_sim.control import asks
from services.supervisor.decisions.looks import LOOKS

LOOK_EVERY_S = 0.5
Message = Mapping[str, Any]


@dataclass
class Calls:
    """What an app called meanwhile; the simulator keeps the last of it only, so that it is asked again and again."""

    sim: SlackSim
    posts: int = 0
    updates: int = 0
    too_fast: int = 0
    shown: dict[str, tuple[str, float]] = field(default_factory=dict)
    """By task, what its own message says, and since when."""
    wanted: frozenset[str] = frozenset()
    """Tasks that are looked for."""
    _seen: int = 0

    async def watch(self) -> None:
        """Counts until it is cancelled."""
        await self.look(count=False)
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self, *, count: bool = True) -> None:
        """Up to the first call that is not answered yet."""
        for call in (await self.sim.ask(asks.ReadCalls(after=self._seen))).calls:
            if call.status == 0:
                return
            self._seen = call.number
            if count:
                self.posts += call.method == "chat.postMessage"
                self.updates += call.method == "chat.update"
                self.too_fast += call.error == "ratelimited"
            if call.method in {"chat.postMessage", "chat.update"} and call.error is None:
                task = task_of(call.arguments, self.wanted)
                if task is not None:
                    self.shown[task] = str(call.arguments.get("text")), call.at

    def shows(self, task_id: str, status: AgentStatus) -> float | None:
        """Since when a task's message says that it is so."""
        text, at = self.shown.get(task_id, ("", 0.0))
        return at if text.endswith(f"– {LOOKS[status].words}") else None


@dataclass
class Heads:
    """The messages of tasks at the top of channels."""

    sim: SlackSim
    found: dict[str, Message] = field(default_factory=dict)

    async def look(self, channels: Iterable[str], tasks: Iterable[str]) -> None:
        """As they stand now."""
        wanted = set(tasks)
        for channel in channels:
            for message in (await self.sim.transcript(channel)).messages:
                if message.get("app_id") and (task := task_of(message, wanted)) is not None:
                    self.found[task] = dict(message) | {"channel": channel}


def task_of(message: Message, wanted: AbstractSet[str]) -> str | None:
    """The task that a message at the top of a channel is about."""
    named = str(message.get("attachments", "")) + str(message.get("blocks", ""))
    parts = named.split("`")
    return next((each for each in parts[1::2] if each in wanted), None)


async def under(sim: SlackSim, head: Message, contains: str, within_s: float = 30.0) -> dict[str, Any]:
    """A message in the thread of a task, once there is one that says something."""
    async with asyncio.timeout(within_s):
        while True:
            for each in (await sim.transcript(head["channel"], head["ts"])).messages:
                if each["ts"] != head["ts"] and contains in str(each):
                    return each | {"channel": head["channel"]}
            await asyncio.sleep(0.1)
