"""Hearing of changes: LISTEN, and a question every half second that finds out when nothing would be heard any more."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import asyncpg
from pydantic import SecretStr

from services.directory.connecting import connect
from services.directory.faults import AWAY

log = logging.getLogger(__name__)

CHANNEL = "threadline_directory"
ASK_EVERY_S = 0.5
ANSWER_WITHIN_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0


@dataclass(frozen=True)
class Listener:
    """Who is told what."""

    changed: Callable[[str], None]
    """Something has changed: a tenant, by its id."""
    connected: Callable[[], None]
    """From now on changes are heard; those before may have been missed."""
    lost: Callable[[str], None]
    """Until further notice nothing is heard, and why."""
    channel: str = CHANNEL
    """Of Postgres' notifications."""


async def watch(url: SecretStr, listener: Listener, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Listens until it is cancelled, connecting again whenever the connection is lost."""
    wait = FIRST_PAUSE_S

    def connected() -> None:
        nonlocal wait
        wait = FIRST_PAUSE_S
        listener.connected()

    while True:
        try:
            await _listen(url, replace(listener, connected=connected))
        except (asyncpg.PostgresError, *AWAY) as error:
            listener.lost(type(error).__name__)
        except Exception as error:
            log.exception("hearing of changes failed in a way that was not foreseen; it is tried again")
            listener.lost(type(error).__name__)
        await pause(wait)
        wait = min(wait * 2, LONGEST_PAUSE_S)


async def _listen(url: SecretStr, listener: Listener) -> None:
    connection = await connect(url, "threadline watch")
    try:
        await connection.add_listener(listener.channel, lambda _c, _p, _n, said: listener.changed(str(said)))
        listener.connected()
        while True:
            await connection.execute("select 1", timeout=ANSWER_WITHIN_S)
            await asyncio.sleep(ASK_EVERY_S)
    finally:
        connection.terminate()
