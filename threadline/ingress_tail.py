"""`threadline ingress tail`: the inbound stream as lines of JSON, for local programs."""

import asyncio
import logging
import os
import select
import signal
import stat
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from services.ingress.adapters.listeners import listening
from services.ingress.adapters.tail import Tail
from services.ingress.settings import SHADOW
from services.kit import logs
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings, LogSettings
from services.kit.settings import load
from threadline.moments import moment_of
from threadline.running import kafka_settings

STDOUT = 1
STUCK_S = 5.0
"""A library may swallow that it is cut short: it is told again."""


Observe = Annotated[bool, typer.Option("--observe", help="Read what `threadline ingress --observe` publishes.")]
Since = Annotated[
    str | None,
    typer.Option(help="From when on: a time (2026-03-02T09:15Z) or so long ago (10m, 1h30m); from now on without."),
]


def tail(
    *,
    _jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a line: what it does anyway.")] = True,
    since: Since = None,
    path: Annotated[
        Path | None, typer.Option("--socket", help="Serve any number of programs at this Unix socket instead.")
    ] = None,
    observe: Observe = False,
    count: Annotated[int | None, typer.Option(min=1, help="Leave after so many lines.")] = None,
) -> None:
    """Hand the inbound stream to local programs as lines of JSON, until Ctrl-C. Message text stands in them."""
    now = SystemClock().now()
    moment = moment_of("--since", since, now) if since is not None else None
    if moment is not None and moment > now:
        raise Fault(f"--since {since} is still to come, by this machine's clock; nothing was read")
    settings = kafka_settings()
    logs.set_up("ingress tail", load(LogSettings), settings.secrets())
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the tail itself says once that a broker is away
    if observe:
        settings = settings.model_copy(update={"topic_prefix": f"{SHADOW}{settings.topic_prefix}"})
    asyncio.run(_until_told(_Wanted(settings, moment, path, count)))


@dataclass(frozen=True)
class _Wanted:
    """What the options say."""

    settings: KafkaSettings
    since: datetime | None
    path: Path | None
    count: int | None


async def _until_told(wanted: _Wanted) -> None:
    """Works until it is done, a signal comes, or nobody reads standard output any more."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    working = asyncio.create_task(_work(wanted, stopping))
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    while not working.done():
        working.cancel()
        await asyncio.wait({working}, timeout=STUCK_S)
    if not working.cancelled():
        working.result()


async def _work(wanted: _Wanted, stopping: asyncio.Event) -> None:
    lines = Tail(wanted.settings, wanted.since, SystemClock()).lines()
    if wanted.path is None:
        with _standard_output(stopping), suppress(BrokenPipeError):
            await _hand_over(lines, _write, wanted.count)
        return
    async with listening(wanted.path) as listeners:
        if wanted.since is not None:
            await listeners.first.wait()  # what was before would go to nobody
        await _hand_over(lines, listeners.give, wanted.count)


async def _hand_over(
    lines: AsyncGenerator[bytes, None], give: Callable[[bytes], Awaitable[None]], count: int | None
) -> None:
    given = 0
    async with aclosing(lines):
        async for line in lines:
            await give(line)
            given += 1
            if given == count:
                return


@contextmanager
def _standard_output(stopping: asyncio.Event) -> Iterator[None]:
    """Within it, a pipe that nobody reads any more is a reason to stop, even where there is nothing to write."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        loop.remove_reader(STDOUT)
        looking = select.poll()
        looking.register(STDOUT, 0)
        if looking.poll(0):
            stopping.set()

    is_pipe = stat.S_ISFIFO(os.fstat(STDOUT).st_mode)
    if is_pipe:
        loop.add_reader(STDOUT, look)
    try:
        yield
    finally:
        if is_pipe:
            loop.remove_reader(STDOUT)


async def _write(line: bytes) -> None:
    """Writes a line, in pieces that never block: a signal is heard while a pipe is full."""
    rest = memoryview(line)
    while rest:
        await _room()
        try:
            rest = rest[os.write(STDOUT, rest[: select.PIPE_BUF]) :]
        except BlockingIOError:
            continue
        except BrokenPipeError:
            raise
        except OSError as error:
            what = f"standard output takes nothing more ({error.strerror})"
            raise Fault(f"{what}; what was written is whole but for its last line. --since reads it again") from None


async def _room() -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_writer(STDOUT, ready.set)
    except PermissionError:  # it is a file, which always has room
        await asyncio.sleep(0)
        return
    try:
        await ready.wait()
    finally:
        loop.remove_writer(STDOUT)
