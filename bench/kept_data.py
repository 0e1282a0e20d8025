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


def newest(suite: str) -> Kept:
    """The last that is kept of a suite, such as `bench-pipeline`."""
    raw_file = max(KEPT.glob(f"{suite}-*.json"))
    raw = json.loads(raw_file.read_text("utf-8"))
    at = datetime.strptime(raw_file.stem.rpartition("-")[2], "%Y%m%dT%H%M%S%z")
    return Kept(at, raw["machine"], raw["runs"])
