"""Every difference that was found, in a temporary file: there may be as many as there are records."""

import weakref
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile, gettempdir
from typing import Final

from services.kit.fault import Fault
from services.router.replay.difference import Difference

IN_MEMORY: Final = 1 << 20
"""So many bytes need no file."""


class Differences:
    """In the order in which they were found. Nothing is added once they are read."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - it lives as long as this does
        self._count = 0
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Difference]:
        return (Difference.model_validate_json(line) for line in self.lines())

    def add(self, found: Difference) -> None:
        """One more."""
        try:
            self._file.write(found.model_dump_json().encode() + b"\n")
        except OSError as error:
            raise Fault(
                f"the differences found so far have no room in {gettempdir()} ({error.strerror}); nothing was written. "
                "TMPDIR names another folder for them, and a shorter stretch has fewer"
            ) from error
        self._count += 1

    def lines(self) -> Iterator[str]:
        """Each as JSON."""
        self._file.seek(0)
        return (line.decode().rstrip("\n") for line in self._file)
