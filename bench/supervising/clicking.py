"""People who click on what they see: who may and who may not, once and twice, to approve and to reject."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bench.beds.watched import Watched
from bench.supervising.programs import Program, Question
from bench.supervising.seen import Heads, Message
from schemas.buttons import APPROVAL, TASK, is_one
from services.slack_sim.client import Refused, SlackSim
from services.slack_sim.control import asks

LOOK_EVERY_S: Final = 0.5
AGAIN_S: Final = 20.0
"""Who sees after so long that nothing came of a click clicks again."""


@dataclass(frozen=True)
class Click:
    """Somebody decided something, or tried to."""

    task_id: str
    question: str
    user: str
    answer: str
    may: bool
    arrived: bool
    """Whether Slack took it; what it said no to may have arrived nevertheless."""


@dataclass
class People:
    """Everybody who watches."""

    watched: Watched
    programs: Sequence[Program]
    clicks: list[Click] = field(default_factory=list)
    _at: dict[str, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Looks at each channel, and clicks, until it is cancelled."""
        channels: dict[str, list[Program]] = {}
        for each in self.programs:
            channels.setdefault(each.reporter.channel or "", []).append(each)
        async with asyncio.TaskGroup() as group:
            for channel, of_channel in channels.items():
                group.create_task(self._watch(channel, of_channel))

    async def _watch(self, channel: str, programs: list[Program]) -> None:
        heads = Heads(self.watched.slack.sim)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            pairs = [(each, question) for each in programs for question in each.plan.questions]
            waiting = [(each, question) for each, question in pairs if _is_open(each, question)]
            if waiting:
                await heads.look([channel], [each.plan.task_id for each, _ in waiting])
            for program, question in waiting:
                head = heads.found.get(program.plan.task_id)
                if head is not None and self._is_time(question):
                    await self._look_under(head, program, question)

    def _is_time(self, question: Question) -> bool:
        now = asyncio.get_running_loop().time()
        return question.wanted != "nobody" and now - self._at.get(question.name, -AGAIN_S) >= AGAIN_S

    async def _look_under(self, head: Message, program: Program, question: Question) -> None:
        found = (await self.watched.slack.sim.transcript(head["channel"], head["ts"])).messages
        for message in found[1:]:
            if f"do what {question.name} says" in str(message):
                if any(is_one(each, APPROVAL) for each in _buttons(message)):
                    self._at[question.name] = asyncio.get_running_loop().time()
                    await self._act(message | {"channel": head["channel"]}, program, question)
                return

    async def _act(self, message: Message, program: Program, question: Question) -> None:
        may, may_not, *_ = self.watched.workspace_of(program.plan.number).people
        match question.wanted:
            case "approve":
                await self._press(message, program, question, may, is_allowed=True)
            case "approve twice":
                await asyncio.gather(*(self._press(message, program, question, may, is_allowed=True) for _ in range(2)))
            case "may not, then approve":
                await self._press(message, program, question, may_not, is_allowed=False)
                await self._press(message, program, question, may, is_allowed=True)
            case "reject":
                await self._reject(message, program, question, may)
            case "nobody":
                pass

    async def _press(
        self, message: Message, program: Program, question: Question, who: str, *, is_allowed: bool
    ) -> None:
        press = asks.Press(user_id=who, action_id=APPROVAL, channel_id=message["channel"], ts=message["ts"])
        arrived = await _asked(self.watched.slack.sim, press)
        self.clicks.append(Click(program.plan.task_id, question.name, who, "approve", is_allowed, arrived))

    async def _reject(self, message: Message, program: Program, question: Question, who: str) -> None:
        sim = self.watched.slack.sim
        await _asked(
            sim, asks.Press(user_id=who, action_id=f"{TASK}:reject", channel_id=message["channel"], ts=message["ts"])
        )
        until = asyncio.get_running_loop().time() + AGAIN_S / 2
        while asyncio.get_running_loop().time() < until:
            for view in (await sim.ask(asks.ReadViews(user_id=who))).views:
                if question.name in json.dumps(view):
                    submit = asks.SubmitView(user_id=who, view_id=view["id"], values={"said": "No"})
                    arrived = await _asked(sim, submit)
                    task_id = program.plan.task_id
                    self.clicks.append(Click(task_id, question.name, who, "reject", may=True, arrived=arrived))
                    return
            await asyncio.sleep(0.3)


def _is_open(program: Program, question: Question) -> bool:
    asked = f"{question.name}" not in program.heard
    return asked and not program.is_done


def _buttons(message: Message) -> list[str]:
    attached = [each for one in message.get("attachments", ()) for each in one.get("blocks", ())]
    blocks = [*message.get("blocks", ()), *attached]
    return [element.get("action_id", "") for block in blocks for element in block.get("elements", ())]


async def _asked(sim: SlackSim, asked: Any) -> bool:
    """Whether Slack did it. A button may be gone by now, or the app not have answered."""
    try:
        await sim.ask(asked)
    except Refused:
        return False
    return True
