"""A small process for tests of `services.kit.process`: does what its first argument says."""

import asyncio
import contextlib
import logging
import sys

from services.kit import process
from services.kit.groups import ProcessSettings
from services.kit.process import Process
from services.kit.settings import load

log = logging.getLogger("worker")


async def wait(given: Process) -> None:
    """Works until it is told to stop."""
    given.health.ready["broker"] = lambda: "the broker is away"
    await given.stopping.wait()
    log.info("left in order")


async def fail(_: Process) -> None:
    """Meets something that nobody foresaw."""
    await asyncio.sleep(0)
    raise RuntimeError("no luck with xoxb-1-2-planted")


async def deaf(_: Process) -> None:
    """Does not listen."""
    await asyncio.sleep(3600)


async def stubborn(_: Process) -> None:
    """Does not even end when it is cut short."""
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


async def done(_: Process) -> None:
    """Has nothing to do."""


async def trace(given: Process) -> None:
    """Does one thing that is traced."""
    with given.tracer.start_as_current_span("a-span-of-the-worker"):
        await asyncio.sleep(0)


WORK = {"wait": wait, "fail": fail, "deaf": deaf, "stubborn": stubborn, "done": done, "trace": trace}

if __name__ == "__main__":
    process.GRACE_S = process.CUT_SHORT_S = 0.5
    sys.exit(process.run("worker", load(ProcessSettings), [], WORK[sys.argv[1]]))
