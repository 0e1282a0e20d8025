"""A record that is to stand on a topic: ready in every byte, so that the broker and the spool keep the same."""

from dataclasses import dataclass
from datetime import datetime

from schemas.record import Encoded
from schemas.topics import Topic

OVERHEAD = 200
"""Of a record in the spool beside its bytes: ids, times, and SQLite's own."""


@dataclass(frozen=True)
class Outgoing:
    """One record."""

    topic: Topic
    key: str
    id: str
    encoded: Encoded
    received_at: datetime
    once_only: bool
    """Whether Slack never sends it again."""

    @property
    def size(self) -> int:
        """How much room it takes."""
        headers = sum(len(name) + len(value) for name, value in self.encoded.headers)
        return len(self.encoded.value) + headers + len(self.key) + len(self.id) + OVERHEAD
