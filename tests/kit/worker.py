"""A small process for tests of `services.kit.process`: does what its first argument says."""

import asyncio
import logging
import sys

from services.kit.process import Process, ProcessSettings, run
from services.kit.settings import load

log = logging.getLogger("worker")


async def wait(process: Process) -> None:
    """Works until it is told to stop."""
    process.health.ready["broker"] = lambda: "the broker is away"
    await process.stopping.wait()
    log.info("left in order")


async def fail(_: Process) -> None:
    """Meets something that nobody foresaw."""
    await asyncio.sleep(0)
    raise RuntimeError("no luck with xoxb-1-2-planted")


async def deaf(_: Process) -> None:
    """Does not listen."""
    await asyncio.sleep(3600)


async def done(_: Process) -> None:
    """Has nothing to do."""


async def trace(process: Process) -> None:
    """Does one thing that is traced."""
    with process.tracer.start_as_current_span("a-span-of-the-worker"):
        await asyncio.sleep(0)


if __name__ == "__main__":
    work = {"wait": wait, "fail": fail, "deaf": deaf, "done": done, "trace": trace}[sys.argv[1]]
    sys.exit(run("worker", load(ProcessSettings), [], work))
