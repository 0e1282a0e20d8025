"""People who talk while things break: what they say is the same for each seed, and what must come of it is known."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from bench.beds.workspaces import Workspace, Workspaces
from services.kit.clock import SystemClock
from services.slack_sim.client import SlackSim
from services.slack_sim.control import asks

Kind = Literal["mention", "follow_up", "direct", "chatter", "stranger", "twice", "edit", "stop", "emoji_stop", "crowd"]

WORKSPACES, THREADS = 4, 3
LIMITED, PER_MINUTE = 3, 6
"""The last workspace may ask so often. There somebody asks several times at once."""
CROWD = 4
PAUSE_S = 0.3
STOP_EMOJI = "octagonal_sign"
FIRST: Final[tuple[Kind, ...]] = ("mention", "mention", "direct", "mention", "chatter", "stop", "crowd", "stranger")
"""Everybody says these first, so that whatever breaks early meets some of each."""
LATER: Final[dict[Kind, int]] = {
    "mention": 30,
    "follow_up": 20,
    "direct": 15,
    "chatter": 8,
    "stop": 8,
    "emoji_stop": 4,
    "twice": 6,
    "edit": 4,
    "crowd": 3,
    "stranger": 2,
}

OF_SOMETHING: Final = frozenset({"follow_up", "edit", "stop", "emoji_stop"})
"""What is said about something that was said before. Where there is nothing yet, it is a mention."""


@dataclass(frozen=True)
class Saying:
    """One thing that somebody will do."""

    number: int
    kind: Kind
    workspace: int
    thread: int
    person: int
    begins_anew: bool
    """Whether it begins another thread."""


def sayings(chance: random.Random) -> Iterator[Saying]:
    """Without end."""
    number = 0
    while True:
        number += 1
        kind = FIRST[number - 1] if number <= len(FIRST) else chance.choices(list(LATER), list(LATER.values()))[0]
        yield Saying(
            number=number,
            kind=kind,
            workspace=LIMITED if kind == "crowd" else chance.randrange(LIMITED),
            thread=chance.randrange(THREADS),
            person=chance.randrange(2),
            begins_anew=chance.random() < 0.3,  # noqa: PLR2004 - a share
        )


@dataclass(frozen=True)
class Said:
    """What was said, once Slack had it."""

    number: int
    kind: Kind
    team: str
    person: str
    channel: str
    ts: str
    thread_ts: str | None
    at: float

    @property
    def root(self) -> str:
        """The thread that it is in, or begins."""
        return self.thread_ts or self.ts


@dataclass
class People:
    """All of them, in one Slack."""

    sim: SlackSim
    workspaces: Workspaces
    nobodys: Workspace
    """A workspace that no tenant owns."""
    plan: Iterator[Saying]
    clock: SystemClock = field(default_factory=SystemClock)
    said: list[Said] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody has said that a run is to stop."""
    _threads: dict[tuple[int, int], Said] = field(default_factory=dict)
    """Where people asked last."""
    _ending: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(self) -> None:
        """One after the other, until they are told that it is enough, and at least each of the first."""
        for saying in self.plan:
            if self._ending.is_set() and saying.number > len(FIRST):
                return
            await self._do(saying)
            await asyncio.sleep(PAUSE_S)

    def that_is_enough(self) -> None:
        """They end."""
        self._ending.set()

    async def _do(self, saying: Saying) -> None:
        workspace = self.nobodys if saying.kind == "stranger" else self.workspaces.every[saying.workspace]
        known = self._threads.get((saying.workspace, saying.thread))
        if saying.kind in OF_SOMETHING and known is not None:
            await self._come_back_to(saying, workspace, known)
        else:
            await self._begin(saying, workspace, known)

    async def _begin(self, saying: Saying, workspace: Workspace, known: Said | None) -> None:
        """Somebody wants something new; a mention may do so in a thread."""
        match saying.kind:
            case "direct":
                text = f"run-{saying.number}: only between us, what is up?"
                await self._say(saying, workspace, text, channel=workspace.directs[saying.person])
            case "chatter":
                await self._say(saying, workspace, f"run-{saying.number} is not for anybody")
            case "twice":
                for _ in range(2):
                    await self._ask(saying, workspace, client_msg_id=f"client-{saying.number}")
            case "crowd":
                for step in range(CROWD):
                    await self._ask(replace(saying, number=saying.number * 1000 + step, thread=step), workspace)
            case "stranger":
                await self._ask(saying, workspace)
            case _:
                mention = replace(saying, kind="mention")
                said = await self._ask(mention, workspace, None if saying.begins_anew else known)
                self._threads[saying.workspace, saying.thread] = said

    async def _come_back_to(self, saying: Saying, workspace: Workspace, known: Said) -> None:
        """Somebody goes on in a thread, thinks better of it, or has enough."""
        person = workspace.people[saying.person]
        match saying.kind:
            case "follow_up":
                await self._say(saying, workspace, f"run-{saying.number}: and then?", known)
            case "edit":
                text = f"<@{workspace.bot_user}> run-{known.number}: otherwise said"
                edit = asks.Edit(user_id=known.person, channel_id=known.channel, ts=known.ts, text=text)
                await self.sim.ask(edit)
            case "emoji_stop":
                await self._put_emoji(person, known)
            case _:
                await self.sim.say(person, known.channel, "stop", known.root)
                self.stopped.set()

    async def _ask(
        self, saying: Saying, workspace: Workspace, known: Said | None = None, client_msg_id: str | None = None
    ) -> Said:
        text = f"<@{workspace.bot_user}> run-{saying.number}: what is up?"
        return await self._say(saying, workspace, text, known, client_msg_id=client_msg_id)

    async def _say(  # noqa: PLR0913 - who says what, where, and as which message
        self,
        saying: Saying,
        workspace: Workspace,
        text: str,
        known: Said | None = None,
        *,
        channel: str = "",
        client_msg_id: str | None = None,
    ) -> Said:
        if known is not None:
            channel = known.channel
        channel = channel or workspace.channels[saying.thread % len(workspace.channels)]
        thread_ts = known.root if known is not None else None
        person, at = workspace.people[saying.person], self.clock.now().timestamp()
        asked = asks.Say(
            user_id=person, channel_id=channel, text=text, thread_ts=thread_ts, client_msg_id=client_msg_id
        )
        ts = (await self.sim.ask(asked)).ts
        said = Said(saying.number, saying.kind, workspace.team, person, channel, ts, thread_ts, at)
        self.said.append(said)
        return said

    async def _put_emoji(self, person: str, known: Said) -> None:
        """On the agent's words: on others' it stops nothing."""
        thread = (await self.sim.transcript(known.channel, known.root)).messages
        ours = [each for each in thread if each.get("app_id")]
        if ours and not any(each["name"] == STOP_EMOJI for each in ours[-1].get("reactions", ())):
            await self.sim.ask(asks.React(user_id=person, channel_id=known.channel, ts=ours[-1]["ts"], name=STOP_EMOJI))
            self.stopped.set()
