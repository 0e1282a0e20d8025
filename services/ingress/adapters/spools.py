"""The folder of spools: each process owns one, and one whose process is gone for good is told and can be adopted."""

import logging
from dataclasses import dataclass
from pathlib import Path

from services.ingress.adapters.spool import Contents, Spool, SpoolInUse, SpoolUnreadable
from services.kit.fault import Fault

log = logging.getLogger(__name__)

MOST = 256


class NoSpool(Fault):
    """Every spool has an owner."""


@dataclass(frozen=True)
class Found:
    """One spool of the folder."""

    number: int
    file: Path
    owned: bool
    contents: Contents | None = None
    """None where somebody owns it: only the owner can look."""
    trouble: str | None = None
    """Why it cannot be read, where it is damaged."""


class Spools:
    """Every spool on one volume, by its number."""

    def __init__(self, folder: Path, room: int) -> None:
        self._folder, self._room = folder, room

    def take(self) -> tuple[int, Spool]:
        """The first that nobody has: after a restart, most often the one that this process had before.

        One that is damaged is told and passed over: what comes in now must be kept all the same.
        """
        for number in range(1, MOST + 1):
            try:
                return number, self.open(number)
            except SpoolInUse:
                continue
            except SpoolUnreadable as fault:
                log.error("%s", fault)  # noqa: TRY400 - its message says all there is to know
        raise NoSpool(f"all {MOST} spools in {self._folder} have an owner; give this process another spool_folder")

    def open(self, number: int) -> Spool:
        """One of them; `SpoolInUse` where another process has it."""
        return Spool(self._file(number), self._room)

    def exists(self, number: int) -> bool:
        """Whether there is one of that number."""
        return self._file(number).exists()

    def all(self, mine: int | None = None) -> list[Found]:
        """What is there. One's own is shown as owned."""
        return [self._found(number, mine) for number in range(1, MOST + 1) if self.exists(number)]

    def left_behind(self, mine: int) -> list[Found]:
        """Those without an owner in which something waits, or may wait."""
        return [each for each in self.all(mine) if each.trouble or (each.contents and each.contents.records)]

    def _found(self, number: int, mine: int | None) -> Found:
        file = self._file(number)
        if number == mine:
            return Found(number, file, owned=True)
        try:
            spool = self.open(number)
        except SpoolInUse:
            return Found(number, file, owned=True)
        except SpoolUnreadable as fault:
            return Found(number, file, owned=False, trouble=str(fault))
        try:
            return Found(number, file, owned=False, contents=spool.contents())
        finally:
            spool.close()

    def _file(self, number: int) -> Path:
        return self._folder / f"spool-{number}.db"
