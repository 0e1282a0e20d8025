"""Writes records that follow from others: all of them stand when it returns."""

import asyncio
from collections.abc import Iterable
from functools import partial

from services.kit.kafka.durable import durable
from services.kit.kafka.producer import Producer
from services.supervisor.decisions.following import Following


async def send_all(producer: Producer, records: Iterable[Following]) -> None:
    """Those of one key stand in their order. Where the broker is away it waits, and a record may stand twice."""
    sending = [durable(partial(producer.send, each.topic, each.key, each.event, each.id)) for each in records]
    await asyncio.gather(*sending)
