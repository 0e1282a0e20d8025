"""What the stream asks of whoever decides, and what it is told."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from schemas.attributes import Headers
from schemas.topics import Topic
from services.router.stream.memory import Memory
from services.router.stream.row import Row


@dataclass(frozen=True, slots=True)
class Source:
    """One record of the source, not yet opened."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    appended_s: float
    """When the broker appended it."""


@dataclass(frozen=True, slots=True)
class Out:
    """A record that a decision leads to."""

    topic: Topic
    key: str | bytes | None
    value: bytes
    headers: Headers
    is_audit: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided, and what is written because of it."""

    row: Row
    out: tuple[Out, ...]
    kept: bytes = b""
    """The row as it stands in the journal; nothing where it stands there already."""


@dataclass(frozen=True, slots=True)
class Halt:
    """It is not to be decided now: the partition waits."""

    why: str


class Opened(Protocol):
    """A record that was opened."""

    @property
    def turn(self) -> str:
        """Records with the same are decided one after the other."""
        ...

    @property
    def at(self) -> float:
        """When it happened."""
        ...


AnyOpened = TypeVar("AnyOpened", bound=Opened)
Answer: TypeAlias = Plan | Halt


class Decider(Protocol, Generic[AnyOpened]):
    """Knows what the records are about."""

    def open(self, source: Source) -> AnyOpened:
        """Opens a record. It never fails: what cannot be read is opened as such."""
        ...

    def missing(self, opened: AnyOpened) -> Awaitable[object] | None:
        """What must be waited for before it can be decided, if anything."""
        ...

    def decide(self, opened: AnyOpened, source: Source, memory: Memory, now: float) -> Answer:
        """Decides. The same record, memory and time lead to the same."""
        ...

    def written(self, opened: AnyOpened) -> None:
        """Everything that follows from it is written."""
        ...

    def repeat(self, opened: AnyOpened, source: Source, row: Row) -> Plan:
        """Says again what was decided before."""
        ...
