"""What programs say is durable before they are answered, or they are told that it is not."""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from schemas.agent import AgentEvent
from schemas.record import CannotWrite
from schemas.topics import AGENTS_EVENTS
from services.directory.programs import No
from services.kit.kafka.producer import Producer

KEPT_WITHIN_S: Final = 10.0
"""A broker that takes longer is taken for away: the program asks again, and a repeat is recognised."""


async def accept(producer: Producer, named: Sequence[tuple[AgentEvent, str]]) -> None:
    """Writes events under their names. All of them are durable when it returns, those of one task in their order."""
    try:
        async with asyncio.timeout(KEPT_WITHIN_S):
            sent = [await producer.send(AGENTS_EVENTS, event.task_id, event, name) for event, name in named]
            if len(sent) == 1:
                await sent[0]
            else:
                await asyncio.wait(sent)
        failed = [error for each in sent if (error := each.exception()) is not None]
        if failed:
            raise failed[0]
    except CannotWrite:
        raise No(400, "not_text", "an event cannot stand as UTF-8; not all were taken in") from None
    except MessageSizeTooLargeError:
        raise No(413, "too_large", "an event is too large; not all were taken in") from None
    except (TimeoutError, KafkaError, OSError) as error:
        words = f"the broker does not take it ({type(error).__name__}); send the same again"
        raise No(503, "not_kept", words) from None
