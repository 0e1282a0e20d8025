"""Waits for brokers that do not listen yet: after a start of the machine everything starts at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from aiokafka.errors import KafkaConnectionError

from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.process import Process

log = logging.getLogger(__name__)

CHECK = "broker"
ASK_EVERY_S = 0.5
ANSWERS_WITHIN_S = 3.0
TRIES: Final = 5
AGAIN_AFTER_S: Final = 1.0
LASTED_S: Final = 60.0
"""Who went on for so long was connected: what is tried then are the first tries of another outage."""


class NotLetIn(Fault):
    """Somebody listens, and its clients do not connect."""


async def with_brokers(settings: KafkaSettings, running: Process, work: Callable[[], Awaitable[None]]) -> None:
    """Does a service's work when there is a broker.

    One that listens may go away before all clients are connected, as in a restart: then the work begins anew.
    """
    tries = 0
    while tries < TRIES and await brokers_listen(settings, running):
        began = running.clock.monotonic()
        try:
            await work()
        except KafkaConnectionError as error:
            log.warning(
                "%s does not connect to a broker at %s (%s), and loses nothing: it is tried again",
                *(running.service, settings.kafka_brokers, type(error).__name__),
            )
        else:
            return
        tries = 1 if running.clock.monotonic() - began > LASTED_S else tries + 1
        await asyncio.sleep(AGAIN_AFTER_S)
    if not running.stopping.is_set():
        raise NotLetIn(
            f"somebody listens at {settings.kafka_brokers}, and {running.service} did not connect in {TRIES} tries. "
            "The lines above say why; nothing is lost. Where they speak of signing in or of certificates, mend "
            "THREADLINE_KAFKA_*; then start it again"
        )


async def brokers_listen(settings: KafkaSettings, running: Process) -> bool:
    """Whether there is a broker to begin with; waits for one. False where the process was told to leave before.

    Only that somebody listens is asked, without a client: one that is refused says so in the log each time.
    """
    at = settings.kafka_brokers
    told = False
    while not running.stopping.is_set():
        if any([await _listens(address.strip()) for address in at.split(",")]):
            running.health.ready.pop(CHECK, None)
            if told:
                log.info("a broker listens at %s: it goes on", at)
            return True
        if not told:
            log.warning(
                "no broker listens at %s: %s waits for one, and loses nothing. If that is not where it is, set "
                "THREADLINE_KAFKA_BROKERS",
                *(at, running.service),
            )
            running.health.ready[CHECK] = lambda: f"no broker listens at {at}"
            told = True
        with suppress(TimeoutError):
            async with asyncio.timeout(ASK_EVERY_S):
                await running.stopping.wait()
    return False


async def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
