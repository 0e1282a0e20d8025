"""A record that the broker did not take in time is handed over again; whatever else is wrong is told."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from services.responder.adapters.durable import durable


class Broker:
    """What becomes of each record that it is handed."""

    def __init__(self, answers: Sequence[Exception | None]) -> None:
        self.answers = list(answers)

    async def send(self) -> "asyncio.Future[None]":
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        answer = self.answers.pop(0)
        if answer is None:
            sent.set_result(None)
        else:
            sent.set_exception(answer)
        return sent


async def test_it_is_handed_over_until_it_stands() -> None:
    broker = Broker([KafkaTimeoutError(), KafkaTimeoutError(), None, None])
    await durable(broker.send)
    assert broker.answers == [None]


async def test_what_time_does_not_heal_is_told() -> None:
    with pytest.raises(MessageSizeTooLargeError):
        await durable(Broker([MessageSizeTooLargeError()]).send)
