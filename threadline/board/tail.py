"""What was added to a log file since it was looked at last."""

from dataclasses import dataclass
from pathlib import Path

MOST_AT_ONCE = 256 * 1024
"""Of a program that floods its log, the end is looked at."""


@dataclass
class Tail:
    """One file, from where it ended when the board began."""

    path: Path
    _at: int = 0
    _half: bytes = b""

    @classmethod
    def of(cls, path: Path) -> "Tail":
        """From its end on; from its beginning where there is none yet."""
        return cls(path, path.stat().st_size if path.is_file() else 0)

    def lines(self) -> list[str]:
        """The whole lines that came."""
        try:
            size = self.path.stat().st_size
            if size == self._at:
                return []
            with self.path.open("rb") as file:
                file.seek(max(self._at, size - MOST_AT_ONCE) if size > self._at else 0)
                found = file.read(MOST_AT_ONCE)
                self._at = file.tell()
        except OSError:
            return []
        *lines, self._half = (self._half + found).split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]
