"""Writes that must stand before anything is done on them: however long the broker is away, they are tried again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.errors import KafkaTimeoutError

log = logging.getLogger(__name__)

Sending = Callable[[], Awaitable["asyncio.Future[Any]"]]
"""Hands a record to the producer; it is durable when the future is done."""


async def durable(send: Sending) -> None:
    """Returns when it is durable. A record may then stand twice, under one name."""
    while True:
        try:
            await asyncio.shield(await send())
        except KafkaTimeoutError:
            log.warning("the broker did not take a record in time; it is handed over again")
        else:
            return
