"""A folder for the rows of a report that is being made: it is there as long as the report takes."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import polars as pl

from services.kit.fault import Fault


class NoRoom(Fault):
    """The disk takes no more."""


class Folder:
    """Rows under names: a file for each time that some were put there."""

    def __init__(self, path: Path) -> None:
        self._path, self._files = path, Counter[str]()

    def put(self, name: str, rows: pl.DataFrame) -> None:
        """Beside what is there under this name."""
        file = self._path / f"{name}-{self._files[name]:06}.parquet"
        self._files[name] += 1
        try:
            rows.write_parquet(file, compression="lz4", statistics=False)
        except (OSError, pl.exceptions.ComputeError) as error:
            raise NoRoom(
                f"a report of a long log keeps what it counts in {self._path.parent}, where no more could be written "
                f"({error}); nothing came of it. TMPDIR names another place; --from and --until read less"
            ) from error

    def rows(self, name: str) -> pl.LazyFrame:
        """All that was put there. Columns that nobody asks for are not read."""
        return pl.scan_parquet([self._path / f"{name}-{number:06}.parquet" for number in range(self._files[name])])


@contextmanager
def shelf() -> Iterator[Folder]:
    """A folder of its own, which is gone afterwards."""
    try:
        folder = TemporaryDirectory(prefix="threadline-report-")
    except OSError as error:
        raise NoRoom(
            f"no folder can be made in {gettempdir()} ({error.strerror}); TMPDIR names another place"
        ) from error
    with folder as path:
        yield Folder(Path(path))
