"""runs.commands: what the responder is told to do."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from schemas.base import Event, Instant, Name, Part
from schemas.message import Message

Trigger = Literal["mention", "dm", "thread", "rule", "shortcut", "command", "gateway", "retry", "task"]
"""What made a run start."""
Verdict = Literal["good", "bad"]
"""What a person thinks of an answer."""
NoticeKind = Literal[
    "throttled",
    "stop_refused",
    "nothing_to_stop",
    "run_expired",
    "command_help",
    "retired_button",
    "approval_refused",
    "task_told",
]
"""Why somebody is told something."""


class Place(Part):
    """A thread or a channel in Slack, and whose it is."""

    tenant_id: Name
    connection: Name
    team_id: Name
    channel_id: Name | None = None
    """None for a run of a program that named no channel: it is said nowhere in Slack."""
    thread_ts: Name | None = None
    """The thread's root. Where a run starts a thread, the ts of the message that asked. None where nobody knows one: a
    slash command, or a person who joined a channel."""


class RunRequested(Event):
    """Answer this, once."""

    type: Literal["run.requested"] = "run.requested"
    run_id: Name
    cause: Name
    event_id: Name
    place: Place
    trigger: Trigger
    agent_id: Name
    rule_name: Name | None = None
    prompt: str | None = None
    """A rule's prompt, filled in; none where the message itself is the prompt."""
    message: Message
    directory_revision: int
    received_at: Instant


class Notice(Event):
    """Tell one person something that the others need not see."""

    type: Literal["notice.requested"] = "notice.requested"
    notice_id: Name
    cause: Name
    place: Place
    user_id: Name
    notice: NoticeKind
    text: str
    retry_after_s: float | None = None


class EmojiRequested(Event):
    """Show an emoji on a message, for everybody in the channel to see."""

    type: Literal["emoji.requested"] = "emoji.requested"
    cause: Name
    place: Place
    message_ts: Name
    emoji: Name
    """Slack's name for it, without colons."""


class OutboundMessage(Event):
    """A program says something in Slack, through the same gate and ledger as an answer."""

    type: Literal["message.requested"] = "message.requested"
    effect_id: Name
    request_key: Name
    tenant_id: Name
    connection: Name
    team_id: Name
    channel_id: Name
    """Its id, or its name with # before it."""
    thread_ts: Name | None = None
    thread_of: Name | None = None
    """The program's name for the message in whose thread it is said."""
    post_id: Name | None = None
    """The program's own name for the message, by which it can be changed later."""
    token_id: Name
    text: str
    blocks_json: str | None = None
    color: Name | None = None
    """Of the bar that Slack draws beside the blocks, such as #2eb67d."""
    body_hash: Name | None = None
    """Of what was asked: a repeat under the same key has the same, and another request has not."""


class ViewRequested(Event):
    """Open a form for one person, now: what they clicked is good for three seconds."""

    type: Literal["view.requested"] = "view.requested"
    cause: Name
    place: Place
    user_id: Name
    trigger_id: Name
    view_json: str


class WhyAsked(Event):
    """A person asks why a reply is what it is."""

    type: Literal["why.asked"] = "why.asked"
    cause: Name
    place: Place
    run_id: Name
    user_id: Name
    trigger_id: Name | None = None


class RetryAsked(Event):
    """A person asks for an answer again. The click is the new run's cause; what to answer stands in the old request."""

    type: Literal["retry.asked"] = "retry.asked"
    cause: Name
    place: Place
    run_id: Name
    """The new run."""
    retry_of: Name
    user_id: Name
    directory_revision: int
    received_at: Instant


class ToolAnswer(Part):
    """What became of one tool that a run asked to be allowed to use."""

    call_id: Name
    arguments_hash: Name
    """Of what was decided about."""
    outcome: Literal["approved", "rejected", "expired"]
    decided_by: Name | None = None
    reason: str | None = None


class RunResumed(Event):
    """Everything that a suspended run waited for is decided: it goes on, or ends."""

    type: Literal["run.resumed"] = "run.resumed"
    run_id: Name
    agent_id: Name
    place: Place
    asked_by: Name
    """Who asked for it, and when: a stop must know."""
    asked_at: Instant
    round: int
    """Which time of waiting is over."""
    answers: tuple[ToolAnswer, ...] = ()
    cancelled_by: Name | None = None
    """Who ended it instead."""
    received_at: Instant
    """When the last of it was decided."""


class FeedbackGiven(Event):
    """A person says whether a reply was good."""

    type: Literal["feedback.given"] = "feedback.given"
    cause: Name
    place: Place
    run_id: Name
    user_id: Name
    verdict: Verdict


Command: TypeAlias = Annotated[
    RunRequested
    | Notice
    | EmojiRequested
    | OutboundMessage
    | ViewRequested
    | WhyAsked
    | RetryAsked
    | RunResumed
    | FeedbackGiven,
    Field(discriminator="type"),
]
