"""Waits for brokers that do not listen yet: after a start of the machine everything starts at once."""

import asyncio
import logging
from contextlib import suppress

from services.kit.groups import KafkaSettings
from services.kit.process import Process

log = logging.getLogger(__name__)

CHECK = "broker"
ASK_EVERY_S = 0.5
ANSWERS_WITHIN_S = 3.0


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
