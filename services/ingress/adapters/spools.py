"""The folder of spools: each process owns one, and one whose process is gone for good is told and can be adopted."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from services.ingress.adapters.spool import Contents, Spool
from services.ingress.adapters.spool_file import SpoolFailing, SpoolInUse, SpoolUnreadable
from services.kit.fault import Fault

log = logging.getLogger(__name__)

MOST = 256
Kind: TypeAlias = Literal["spool", "letters"]
"""Envelopes, or dead letters: what nobody can read must never stand in the way of what somebody can."""


class NoSpool(Fault):
    """Every spool has an owner."""


@dataclass(frozen=True)
class Found:
    """One spool of the folder."""

    name: str
    """Such as spool-1."""
    file: Path
    owned: bool
    contents: Contents | None = None
    """None where somebody owns it: only the owner can look."""
    trouble: str | None = None
    """Why it cannot be read, where it is damaged."""


class Spools:
    """Every spool on one volume for the topics under one prefix: what waits under another belongs elsewhere."""

    def __init__(self, folder: Path, prefix: str, room: int) -> None:
        self.folder, self._room = folder / f"topics-{prefix}", room

    def take(self, kind: Kind) -> tuple[str, Spool]:
        """The first that nobody has: after a restart, most often the one that this process had before.

        One that is damaged is told and passed over: what comes in now must be kept all the same.
        """
        for number in range(1, MOST + 1):
            name = f"{kind}-{number}"
            try:
                return name, self.open(name)
            except SpoolInUse:
                continue
            except (SpoolUnreadable, SpoolFailing) as fault:
                log.error("%s", fault)  # noqa: TRY400 - its message says all there is to know
        raise NoSpool(f"no spool in {self.folder} can be had; give this process another THREADLINE_SPOOL_FOLDER")

    def open(self, name: str) -> Spool:
        """One of them; `SpoolInUse` where another process has it."""
        return Spool(self._file(name), self._room)

    def all(self, mine: frozenset[str] = frozenset()) -> list[Found]:
        """What is there. One's own are shown as owned: to look into one that is open would give its lock away."""
        names = sorted(each.stem for each in self.folder.glob("*-*.db"))
        return [self._found(name, mine) for name in names]

    def left_behind(self, mine: frozenset[str]) -> list[Found]:
        """Those without an owner in which something waits, or may wait."""
        return [each for each in self.all(mine) if each.trouble or (each.contents and each.contents.records)]

    def _found(self, name: str, mine: frozenset[str]) -> Found:
        file = self._file(name)
        if name in mine:
            return Found(name, file, owned=True)
        try:
            spool = self.open(name)
        except SpoolInUse:
            return Found(name, file, owned=True)
        except (SpoolUnreadable, SpoolFailing) as fault:
            return Found(name, file, owned=False, trouble=str(fault))
        try:
            return Found(name, file, owned=False, contents=spool.contents())
        except (SpoolUnreadable, SpoolFailing) as fault:
            return Found(name, file, owned=False, trouble=str(fault))
        finally:
            spool.close()

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.db"
