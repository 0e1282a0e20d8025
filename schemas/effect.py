"""slack.effects: the ledger of calls that change Slack or use a tool: intended first, then what became of them."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from schemas.base import Event, Name, Part

EffectPurpose = Literal[
    "placeholder",
    "stream",
    "answer",
    "stopped",
    "failed",
    "notice",
    "status",
    "emoji",
    "message",
    "form",
    "receipt",
    "cleanup",
    "suspended",
    "tool",
]
"""What a call is for, in the words of the product."""

Settlement = Literal["look_up", "repeat", "at_most_once"]
"""How a call whose result is unknown is settled: find it by its metadata, do it again, or let it be."""


class EffectOf(Part):
    """Which call an entry of the ledger is about."""

    effect_id: Name
    run_id: Name | None = None
    command_id: Name | None = None
    """The record of runs.commands that it carries out."""
    tenant_id: Name
    connection: Name
    team_id: Name
    channel_id: Name | None = None
    """None for what a run of a program does that is said nowhere in Slack."""
    thread_ts: Name | None = None
    thread_of: Name | None = None
    """The program's name for the message in whose thread it was to be said."""
    post_id: Name | None = None
    """A program's own name for the message, by which it is found again to be changed."""
    method: Name
    """Slack's name, such as chat.postMessage; `tool` for one of the tenant's tools."""
    purpose: EffectPurpose
    attempt: int = 1


class EffectIntended(Event):
    """About to be called."""

    type: Literal["effect.intended"] = "effect.intended"
    effect: EffectOf
    settlement: Settlement
    arguments_json: str
    """What the call says, so that it can be repeated."""
    of_parts: int = 1
    """How many calls make up what this one is a part of: a long answer is several messages."""


class EffectConfirmed(Event):
    """Slack said yes, or the tool answered."""

    type: Literal["effect.confirmed"] = "effect.confirmed"
    effect: EffectOf
    message_ts: Name | None = None
    settled_by: Literal["response", "look_up", "repeat"] = "response"
    answer: str | None = None
    """What a tool answered. A run that is taken over does not ask again."""


class EffectFailed(Event):
    """Slack said no, or the call was never made."""

    type: Literal["effect.failed"] = "effect.failed"
    effect: EffectOf
    error: Name
    """Slack's error code, or our own."""
    retry_after_s: float | None = None
    final: bool = True


class EffectUnknown(Event):
    """It may have happened, and there is no way to tell."""

    type: Literal["effect.unknown"] = "effect.unknown"
    effect: EffectOf
    error: Name


class RunSuspended(Event):
    """A run waits for people, with everything that it needs to go on."""

    type: Literal["run.suspended"] = "run.suspended"
    effect: EffectOf
    """Whose run it is, and where it is told of. The id names this time of waiting."""
    round: int
    """Which time it is: 1 for the first."""
    state_json: str
    """What was asked, what the model said so far, and which tools it wants to use."""


Entry: TypeAlias = EffectIntended | EffectConfirmed | EffectFailed | EffectUnknown | RunSuspended
LedgerEntry: TypeAlias = Annotated[Entry, Field(discriminator="type")]
