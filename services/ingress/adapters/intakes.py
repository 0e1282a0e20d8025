"""The two ways out of ingress: envelopes, and dead letters, which never stand in the way of envelopes."""

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from schemas.topics import DEAD_LETTERS, SLACK_INBOUND
from services.ingress.adapters.broker import Broker
from services.ingress.adapters.entry import Kept
from services.ingress.adapters.intake import Intake
from services.ingress.adapters.outgoing import Outgoing
from services.ingress.adapters.spools import Spools
from services.kit.groups import KafkaSettings
from services.kit.telemetry.instruments import Instruments


class Intakes:
    """Both of a process, each with a spool and a client of its own."""

    def __init__(self, spools: Spools, settings: KafkaSettings, instruments: Instruments, patience_s: float) -> None:
        self.name, envelopes = spools.take("spool")
        letters_name, letters = spools.take("letters")
        self.spools = frozenset({self.name, letters_name})
        self.envelopes = Intake(SLACK_INBOUND, envelopes, Broker(settings, instruments), instruments, patience_s)
        self.letters = Intake(DEAD_LETTERS, letters, Broker(settings, instruments), instruments, patience_s)
        self.envelopes.letters = self.letters
        self._stack = AsyncExitStack()

    def take(self, record: Outgoing) -> "asyncio.Future[Kept]":
        """Takes a record, in the order of the calls. The future says where it is durable, or raises `NotKept`."""
        return (self.letters if record.topic is DEAD_LETTERS else self.envelopes).take(record)

    def trouble(self) -> str | None:
        """What is wrong, for those who watch: what comes in is not kept."""
        return self.envelopes.trouble() or self.letters.trouble()

    async def __aenter__(self) -> Self:
        """Begins to work. The letters leave last, since envelopes may still become some."""
        await self._stack.enter_async_context(self.letters)
        await self._stack.enter_async_context(self.envelopes)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Afterwards what was acknowledged is at the broker or in a spool."""
        await self._stack.aclose()
