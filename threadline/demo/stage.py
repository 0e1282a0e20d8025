"""Where the demo plays: the local Slack, its people, the topics behind it, and the programs that can be killed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from schemas.buttons import STOP
from services.kit.clock import Clock
from services.kit.groups import KafkaSettings
from services.local import state
from services.local.home import Home
from services.slack_sim.client import SlackSim
from services.slack_sim.control import asks
from services.slack_sim.control.answers import WorldShown
from services.slack_sim.control.conditions import AMessage
from threadline.demo.caller import Caller
from threadline.demo.trail import Trail, read_trail

PATIENCE_S: Final = 45.0
LOOK_EVERY_S: Final = 0.1
SHOWN: Final = 90
"""Of what somebody says, so many signs."""


@dataclass(frozen=True)
class Claim:
    """Something that the demo says of the product, and whether it was so."""

    what: str
    holds: bool


@dataclass
class Stage:
    """One play."""

    sim: SlackSim
    world: WorldShown
    caller: Caller
    home: Home
    kafka: KafkaSettings
    clock: Clock
    since: datetime
    show: Callable[[str], None]
    begun: float = field(default=0.0)

    def person(self, name: str) -> str:
        """Somebody's id."""
        return next(each.id for each in self.world.users if each.name == name)

    def channel(self, name: str) -> str:
        """A channel's id."""
        return next(each.id for each in self.world.channels if each.name == name)

    @property
    def bot(self) -> str:
        """Mara's id."""
        return self.world.installations[0].bot_user_id

    def line(self, who: str, said: str) -> None:
        """A line of the transcript, with when."""
        text = " ".join(said.split())
        text = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
        self.show(f"  {self.clock.monotonic() - self.begun:6.2f} s  {who:<8} {text}")

    async def say(self, channel: str, text: str, thread: str | None = None) -> str:
        """You say something. Gives its ts."""
        self.begun = self.clock.monotonic()
        self.line("you", text.replace(f"<@{self.bot}>", "@Mara"))
        return await self.sim.say(self.person("you"), channel, text, thread)

    async def mention(self, channel: str, text: str, thread: str | None = None) -> str:
        """You say something to Mara."""
        return await self.say(channel, f"<@{self.bot}> {text}", thread)

    async def seen(self, channel: str, thread: str, contains: str) -> dict[str, Any]:
        """Waits until Mara shows something, also while she still writes."""
        wanted = AMessage(channel_id=channel, thread_ts=thread, user_id=self.bot, contains=contains, streaming=True)
        found = await self.sim.wait(wanted, PATIENCE_S)
        self.line("Mara", str(found.get("text", "")))
        return found

    async def replies(self, channel: str, thread: str) -> list[dict[str, Any]]:
        """What Mara says in a thread."""
        found = await self.sim.transcript(channel, thread)
        return [each for each in found.messages if each.get("app_id")]

    async def whispers(self, channel: str) -> list[str]:
        """What only you are shown."""
        found = await self.sim.transcript(channel, viewer=self.person("you"))
        return [str(each.get("text", "")) for each in found.ephemerals]

    async def answer(self, channel: str, thread: str, contains: str, after: str = "") -> dict[str, Any]:
        """Waits for an answer that is whole: nobody can stop it any more."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for each in await self.replies(channel, thread):
                    if contains in words_of(each) and each["ts"] > after and STOP not in str(each.get("blocks")):
                        self.line("Mara", words_of(each))
                        return each
                await asyncio.sleep(LOOK_EVERY_S)

    async def press(self, channel: str, ts: str, action_id: str) -> None:
        """You press a button under a message."""
        await self.sim.ask(asks.Press(user_id=self.person("you"), channel_id=channel, ts=ts, action_id=action_id))

    async def trail(self, until: Callable[[Trail], bool]) -> Trail:
        """What the topics say, once they say enough; or what they said when patience ended."""
        end = self.clock.monotonic() + PATIENCE_S
        while True:
            found = await read_trail(self.kafka, self.since)
            if until(found) or self.clock.monotonic() > end:
                return found
            await asyncio.sleep(LOOK_EVERY_S)

    def tell(self, trail: Trail, run_id: str | None) -> None:
        """The trail of a run, below the transcript."""
        for line in trail.told(run_id):
            self.show(f"            {line}")

    def program(self, name: str) -> state.ProgramState:
        """One of the programs, as its supervisor sees it."""
        found = state.running(self.home)
        if found is None or name not in found.programs:
            raise RuntimeError(f"{name} does not run")
        return found.programs[name]


def words_of(message: dict[str, Any]) -> str:
    """The Markdown of an answer; none of "Thinking…"."""
    blocks = [block["text"] for block in message.get("blocks") or () if block.get("type") == "markdown"]
    return "\n".join(blocks)
