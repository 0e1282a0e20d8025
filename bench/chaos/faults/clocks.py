"""Clocks that jump, for one service, while the others' go on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.chaos.faults.kind import FaultKind, Struck

WHERE = "*/faketime/libfaketime.so.1"


def _library() -> Path | None:
    return next(iter(sorted(Path("/usr/lib").glob(WHERE))), None)


def _file(struck: Struck, service: str) -> Path:
    return struck.stage.folder / f"{service}.clock"


def _prepare(struck: Struck) -> None:
    """The clock on the wall alone can be told; what measures how long something took goes on as it does."""
    for service in struck.services:
        _file(struck, service).write_text("+0", "utf-8")
        struck.stage.told[service] = {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(_file(struck, service)),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


@asynccontextmanager
async def _step(struck: Struck) -> AsyncIterator[None]:
    """It jumps, and jumps back."""
    step_s = struck.scenario.fault.told["by_s"]
    for service in struck.services:
        _file(struck, service).write_text(f"{step_s:+d}", "utf-8")
    try:
        yield
    finally:
        for service in struck.services:
            _file(struck, service).write_text("+0", "utf-8")


def _no_library(_: Struck) -> str | None:
    return None if _library() else "libfaketime moves the clock: apt-get install libfaketime"


KINDS = {"clock_step": FaultKind(_step, _prepare, _no_library)}
