"""Which topic follows from which, so that a cut can note the end of a consequence before that of its cause."""

from collections.abc import Mapping
from typing import Final

from schemas.topics import (
    AGENTS_COMMANDS,
    AGENTS_EVENTS,
    AUDIT_DECISIONS,
    AUDIT_OPERATIONS,
    AUDIT_REACTIONS,
    AUDIT_RUNS,
    DEAD_LETTERS,
    ROUTER_JOURNAL,
    RUNS_COMMANDS,
    RUNS_STOPS,
    SLACK_EFFECTS,
    SLACK_INBOUND,
    Topic,
)

CONSEQUENCES_FIRST: Final[tuple[Topic, ...]] = (
    AUDIT_RUNS,  # the responder says "replied" here when the effects of it stand in the ledger
    AUDIT_DECISIONS,
    AUDIT_REACTIONS,
    AUDIT_OPERATIONS,  # follows from letters; what follows from it asks for an operator's word once more
    DEAD_LETTERS,
    SLACK_EFFECTS,  # the responder does what it was told to
    AGENTS_EVENTS,
    RUNS_COMMANDS,  # the router says what it has in its journal
    RUNS_STOPS,
    AGENTS_COMMANDS,
    ROUTER_JOURNAL,  # a row is about an envelope
    SLACK_INBOUND,
)
"""A service writes what follows from a record after that record. So whoever looks at the end of a topic, and only then
at the end of one that stands further down, finds there whatever led to what it has seen."""


def consequences_first(counts: Mapping[str, int]) -> dict[str, int]:
    """The topics of a cluster in the order in which their ends are noted."""
    return {topic.name: counts[topic.name] for topic in CONSEQUENCES_FIRST if topic.name in counts}
