"""Up to where everything of a partition is done: what may be committed."""

from dataclasses import dataclass, field


@dataclass
class Watermark:
    """One partition of one assignment."""

    next: int
    """The offset that is read next."""
    open: set[int] = field(default_factory=set)
    """Read, and not done with."""

    def read(self, offset: int) -> None:
        """It is in hand."""
        self.open.add(offset)
        self.next = offset + 1

    def done(self, offset: int) -> None:
        """All that it led to stands."""
        self.open.discard(offset)

    @property
    def at(self) -> int:
        """Below it everything is done."""
        return min(self.open, default=self.next)
