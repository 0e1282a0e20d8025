"""One run, while it goes on here."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from opentelemetry.context import Context

from schemas.command import RetryAsked, RunRequested, RunResumed
from schemas.lifecycle import FINAL, Phase, Signal, advance
from schemas.run import Usage
from schemas.stop import StopRequested
from schemas.stopping import Stoppable, of_request
from services.directory.document import Tool
from services.responder.adapters.audit import Story
from services.responder.adapters.models import Used
from services.responder.adapters.reply import Reply
from services.responder.decisions.effects import Subject
from services.responder.decisions.prompting import Asked
from services.responder.decisions.standing import Standing


class NotAnswered(Exception):
    """The run ends without an answer, for a reason of ours."""

    def __init__(self, reason: str, said: str) -> None:
        super().__init__(reason)
        self.reason, self.said = reason, said


@dataclass(eq=False)
class Run:
    """One run that was asked for."""

    command: RunRequested | RetryAsked | RunResumed
    subject: Subject
    standing: Standing
    trace: Context = field(default_factory=Context)
    """Which trace its command belongs to."""
    phase: Phase = Phase.ACCEPTED
    stop: StopRequested | None = None
    asking: "asyncio.Task[str] | None" = None
    reply: Reply | None = None
    request: RunRequested | None = None
    """What to answer, once that is known: a click on "Try again" names it."""
    said: str = ""
    """What the model has said so far."""
    asked: Asked | None = None
    """What it was asked, with what it used since."""
    was_over: bool = False
    """Whether its command repeats one that led to its end long ago."""
    using: str | None = None
    """The tool that it waits for."""
    rules: Mapping[str, Tool] = field(default_factory=dict)
    """The tools that its agent may use now."""
    story: Story = field(default_factory=Story)
    told: Callable[[], None] = lambda: None
    """Hears of every message of it that stands: a stop may have named it already."""

    @property
    def name(self) -> str:
        """What goes on under one name: a run that is resumed is not the one that was suspended."""
        return f"{self.command.run_id}#{self.round}" if self.round else self.command.run_id

    @property
    def round(self) -> int:
        """How often it waited for people before this command."""
        return self.command.round if isinstance(self.command, RunResumed) else 0

    @property
    def waits(self) -> bool:
        """Whether people must decide before it goes on."""
        return self.phase is Phase.SUSPENDED

    @property
    def stoppable(self) -> Stoppable:
        """As stops know it."""
        return of_request(self.command, self.reply.posted if self.reply is not None else ())

    @property
    def is_over(self) -> bool:
        """Whether its last words are said."""
        return self.phase in FINAL

    def move(self, signal: Signal) -> None:
        """Goes on as the table says."""
        self.phase = advance(self.phase, signal)

    def end_by(self, stop: StopRequested) -> None:
        """Somebody wants it to end. The model's call ends now. Where it waits for people, who asks them ends it."""
        if self.stop is not None or self.is_over or self.phase in {Phase.STOPPING, Phase.SUSPENDED}:
            return
        self.stop = stop
        self.move(Signal.ASK_STOP)
        if self.asking is not None:
            self.asking.cancel()

    def spent(self, used: Used) -> None:
        """A model was asked once more."""
        before = self.story.usage
        costs = [each for each in (before.cost_usd if before else None, used.cost_usd) if each is not None]
        self.story.usage = Usage(
            model=used.model,
            input_tokens=used.input_tokens + (before.input_tokens if before else 0),
            output_tokens=used.output_tokens + (before.output_tokens if before else 0),
            cost_usd=sum(costs) if costs else None,
        )


def is_told_to_leave() -> bool:
    """Whether somebody else goes on with what this task does."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
