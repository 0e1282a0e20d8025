"""Raw data that is kept in the repository, from which pages of the docs are made."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parent / "kept"


@dataclass(frozen=True)
class Kept:
    """What one run of a suite left."""

    at: datetime
    machine: dict[str, Any]
    runs: list[dict[str, Any]]

    def where(self, verb: str) -> str:
        """When, and on what."""
        facts = self.machine
        return (
            f"{verb} on {self.at:%Y-%m-%d}: {facts['cores']} cores ({facts['processor']}), "
            f"{facts['memory_gib']} GiB, Python {facts['python']}."
        )


def every(suite: str) -> list[Kept]:
    """All that is kept of a suite, such as `bench-pipeline`, the oldest first."""
    return [_read(raw_file) for raw_file in sorted(KEPT.glob(f"{suite}-*.json"))]


def newest(suite: str) -> Kept:
    """The last of it."""
    return every(suite)[-1]


def _read(raw_file: Path) -> Kept:
    raw = json.loads(raw_file.read_text("utf-8"))
    at = datetime.strptime(raw_file.stem.rpartition("-")[2], "%Y%m%dT%H%M%S%z")
    return Kept(at, raw["machine"], raw["runs"])
