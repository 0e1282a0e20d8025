"""What a backup says of itself: which records it holds, where groups stood, and the sum of every file."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

FORMAT: Final = 1
NAME: Final = "manifest.json"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeptFile(_Model):
    """A file of the backup."""

    name: str
    """In the backup's folder."""
    bytes: int
    sha256: str


class KeptPartition(_Model):
    """One partition of a topic."""

    topic: str
    """Without a prefix."""
    partition: int
    begins: int
    """The first offset that retention had left."""
    ends: int
    """The offset of the record that would have come next."""
    records: int
    newest_ms: int | None = None
    """When the newest of them was appended; None where there is no record."""
    file: KeptFile | None
    """None where there is no record."""


class Commit(_Model):
    """Where a group stood in a partition."""

    group: str
    """Without a prefix."""
    topic: str
    partition: int
    offset: int


class KeptDatabase(_Model):
    """The directory."""

    file: KeptFile
    revision: int
    """The newest revision in it."""
    migration: str
    """The version of its tables."""
    postgres: int
    """The major version of the server."""
    written_by: int
    """That of the program that wrote the file."""
    sealed_tokens: int
    """How many tokens stand in it, sealed. The keys that open them do not."""


class Manifest(_Model):
    """The whole backup."""

    format: Literal[1] = FORMAT
    threadline: str
    """The version that made it."""
    made_at: datetime
    """The moment of the cut: what came later is not in it."""
    partitions: tuple[KeptPartition, ...] = ()
    commits: tuple[Commit, ...] = ()
    database: KeptDatabase | None = None

    @property
    def files(self) -> Iterator[KeptFile]:
        """Every file but this one."""
        yield from (each.file for each in self.partitions if each.file is not None)
        if self.database is not None:
            yield self.database.file

    @property
    def records(self) -> int:
        """How many there are in all."""
        return sum(each.records for each in self.partitions)

    @property
    def size(self) -> int:
        """In bytes, on disk."""
        return sum(each.bytes for each in self.files)

    @property
    def topics(self) -> dict[str, int]:
        """How many partitions each topic has."""
        return {each.topic: each.partition + 1 for each in sorted(self.partitions, key=lambda each: each.partition)}
