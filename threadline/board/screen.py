"""The board on a terminal: drawn once a second, and when the terminal's size changes."""

import asyncio
import contextlib
import signal

import aiohttp
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from threadline.board.picture import Line, picture
from threadline.board.watcher import Watcher

DRAWN_EVERY_S = 1.0


async def show(watcher: Watcher, console: Console) -> None:
    """Shows it until it is cancelled, and leaves the terminal as it was."""
    resized = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, resized.set)
    following = asyncio.create_task(watcher.follow_runs())
    try:
        async with aiohttp.ClientSession() as session:
            with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False) as live:
                while True:
                    facts = await watcher.facts(session)
                    width, height = console.size
                    live.update(Group(*map(_text, picture(facts, width, height))), refresh=True)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(resized.wait(), DRAWN_EVERY_S)
                    resized.clear()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


def _text(line: Line) -> Text:
    return Text.assemble(*line, no_wrap=True, overflow="crop")
