"""audit.reactions: which tenant's rule met a message, or why none did."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from schemas.base import Event, Name

SkipReason = Literal[
    "no_rules", "no_match", "channel", "sender", "pattern", "cooldown", "outranked", "throttled", "duplicate"
]
"""Why no rule led to a run; where several hold, the one that the nearest candidate failed on."""


class ReactionMatch(Event):
    """A rule matched and leads to a run."""

    type: Literal["reaction.match"] = "reaction.match"
    rule_name: Name
    channel: Name
    sender: Name
    filter_summary: str
    """Which filters the rule has, in words: kinds and ids, never message text."""
    tenant_id: Name
    connection: Name
    event_id: Name
    run_id: Name | None = None
    candidate_count: int = 1
    directory_revision: int


class ReactionSkip(Event):
    """Rules were looked at and none leads to a run."""

    type: Literal["reaction.skip"] = "reaction.skip"
    reason: SkipReason
    candidate_count: int
    channel: Name | None = None
    tenant_id: Name
    connection: Name
    event_id: Name
    directory_revision: int


ReactionAudit: TypeAlias = Annotated[ReactionMatch | ReactionSkip, Field(discriminator="type")]
