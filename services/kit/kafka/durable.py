"""What needs the broker waits for it, however long it is away: writes that must stand first, and reading to an end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from aiokafka.errors import KafkaError, KafkaTimeoutError

log = logging.getLogger(__name__)

AGAIN_S: Final = 1.0
Read = TypeVar("Read")
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


async def patiently(read: Callable[[], Awaitable[Read]]) -> Read:
    """Reads, from the beginning again where the broker went away meanwhile."""
    while True:
        try:
            return await read()
        except KafkaError as error:
            if not error.retriable and not isinstance(error, KafkaTimeoutError):
                raise
            log.warning("the broker cannot be read now (%s); it is tried again", type(error).__name__)
            await asyncio.sleep(AGAIN_S)
