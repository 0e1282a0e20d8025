"""Programs that do tasks and report them, at least once, whatever breaks; each remembers what it said and heard."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aiohttp import ClientError

from bench.beds.supervisor import Reporter
from schemas.agent import EndStatus, ReportedStatus

AGAIN_S: Final = 0.3
REPEATS, ASKS, EXPIRES = 0.1, 0.7, 0.15
"""Shares: of events that are sent again though they stand, of tasks that ask, of questions that nobody answers."""
PAUSE_S: Final = (0.2, 1.2)
EXPIRES_IN_S, WAITS_S = 4.0, 900.0
STATUSES: Final[tuple[ReportedStatus, ...]] = ("working", "working", "paused", "error")
ENDS: Final[tuple[EndStatus, ...]] = ("complete", "complete", "error", "cancelled")
CLICKS: Final = ("approve", "approve", "approve twice", "reject", "may not, then approve")

Wanted = Literal["approve", "approve twice", "reject", "may not, then approve", "nobody"]


@dataclass(frozen=True)
class Question:
    """What a task asks, and what people are going to do about it."""

    name: str
    wanted: Wanted


@dataclass(frozen=True)
class Plan:
    """What a task does: statuses, and questions between them."""

    number: int
    steps: tuple[ReportedStatus | Question, ...]
    end: EndStatus

    @property
    def task_id(self) -> str:
        """Its name."""
        return f"chaos-{self.number}"

    @property
    def questions(self) -> Iterator[Question]:
        """All of them."""
        return (each for each in self.steps if isinstance(each, Question))


def plans(seed: int, count: int) -> list[Plan]:
    """The same for each seed."""
    chance = random.Random(seed)  # noqa: S311 - a seeded plan
    return [_plan(chance, number) for number in range(count)]


def _plan(chance: random.Random, number: int) -> Plan:
    steps: list[ReportedStatus | Question] = [chance.choice(STATUSES) for _ in range(chance.randint(3, 8))]
    if chance.random() < ASKS:
        for nth in range(1 + (chance.random() < 0.3)):  # noqa: PLR2004 - a share
            wanted: Wanted = "nobody" if chance.random() < EXPIRES else chance.choice(CLICKS)
            steps.insert(chance.randint(1, len(steps)), Question(f"ask-{number}-{nth}", wanted))
    return Plan(number, tuple(steps), chance.choice(ENDS))


@dataclass
class Program:
    """One of them, as it goes."""

    plan: Plan
    reporter: Reporter
    chance: random.Random
    accepted: list[str] = field(default_factory=list)
    """Names of events that it was told stand."""
    statuses: list[str] = field(default_factory=list)
    """What it reported, in order."""
    heard: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What became of its questions, as it was told."""
    is_done: bool = False

    async def run(self) -> None:
        """From its beginning to its end."""
        await self._tell(self.reporter.event("task.started", task_name=f"Chaos {self.plan.number}"))
        for step in self.plan.steps:
            await asyncio.sleep(self.chance.uniform(*PAUSE_S))
            if isinstance(step, Question):
                await self._ask(step)
            else:
                self.statuses.append(step)
                await self._tell(self.reporter.event("task.checkpoint", action=f"now {step}", status=step))
        await self._tell(self.reporter.event("task.ended", status=self.plan.end))
        self.is_done = True

    async def _ask(self, question: Question) -> None:
        expires = EXPIRES_IN_S if question.wanted == "nobody" else WAITS_S
        await self._tell(self.reporter.question(question.name, {"of": self.plan.number}, expires))
        while question.name not in self.heard:
            try:
                status, found = await self.reporter.ask("GET", f"/v1/approvals/{question.name}?wait=5")
            except (ClientError, OSError, TimeoutError):
                status, found = 0, {}
            if status == 200 and found["state"] != "open":  # noqa: PLR2004 - found
                self.heard[question.name] = found
            elif status != 200:  # noqa: PLR2004 - likewise
                await asyncio.sleep(AGAIN_S)

    async def _tell(self, event: dict[str, Any]) -> None:
        """Until it stands; sometimes once more, as one does that was not told."""
        again = self.chance.random() < REPEATS
        while event["id"] not in self.accepted or again:
            try:
                status, answer = await self.reporter.send(event)
            except (ClientError, OSError, TimeoutError):
                status, answer = 0, None
            if status == 202 and not answer["refused"]:  # noqa: PLR2004 - accepted
                again = again and event["id"] not in self.accepted
                self.accepted.append(event["id"])
            elif status in {0, 503}:
                await asyncio.sleep(AGAIN_S)
            else:
                raise RuntimeError(f"{event['id']}: {status} {answer}")
