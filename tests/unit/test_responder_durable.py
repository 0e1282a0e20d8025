"""Who needs a broker that is away waits for it; whatever else is wrong is told."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)

from services.kit.kafka import durable as waiting
from services.kit.kafka.durable import durable, patiently


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


async def test_a_reading_that_a_broker_broke_off_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "AGAIN_S", 0.0)
    broker = Broker([KafkaConnectionError(), KafkaTimeoutError(), None])

    async def read() -> str:
        await (await broker.send())
        return "all of it"

    assert await patiently(read) == "all of it"


async def test_a_reading_that_is_not_allowed_is_told() -> None:
    async def read() -> None:
        raise TopicAuthorizationFailedError

    with pytest.raises(TopicAuthorizationFailedError):
        await patiently(read)
