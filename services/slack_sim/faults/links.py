"""Faults of the network and of sockets: refused, slow or deaf connections, and acknowledgements that are lost."""

import asyncio
from random import Random

from services.slack_sim.world.moments import Moments


class LinkFaults:
    """What is wrong with the links at this moment."""

    def __init__(self, moments: Moments, seed: str) -> None:
        self._moments = moments
        self._chance = Random(f"{seed}/faults")  # noqa: S311 - it picks what goes wrong, and keeps no secret
        self._open = asyncio.Event()
        self._open.set()
        self._until = 0.0
        self.refuse_status: int | None = None
        self.refuse_app: str | None = None
        self._refusing_until = 0.0
        self.connect_delay_s = 0.0
        self.ack_delay_s = 0.0
        self.ack_loss = 0.0
        self.deaf = False
        """Pings stay unanswered, and nothing else is wrong."""

    @property
    def any(self) -> bool:
        """Whether traffic is held up at all, so that it need not be asked for each frame."""
        return not self._open.is_set()

    def blackhole(self, seconds: float) -> None:
        """Nothing passes in either direction for a while. Connections stay open."""
        self._until = max(self._until, self._moments.now() + seconds)
        self._open.clear()
        self._moments.after(seconds, self._reopen)

    def _reopen(self) -> None:
        if self._moments.now() >= self._until:
            self._open.set()

    async def passable(self) -> None:
        """Waits for the end of a blackhole."""
        await self._open.wait()

    def refuse(self, seconds: float, status: int, app_id: str | None) -> None:
        """Refuses new sockets for a while."""
        self.refuse_status, self.refuse_app = status, app_id
        self._refusing_until = self._moments.now() + seconds

    def refusal(self, app_id: str) -> int | None:
        """The status that a new socket is refused with, if it is."""
        if self.refuse_status is None or self._moments.now() >= self._refusing_until:
            return None
        return self.refuse_status if self.refuse_app in {None, app_id} else None

    async def admit(self) -> None:
        """Holds up a new connection as long as it must be."""
        await self.passable()
        if self.connect_delay_s:
            await asyncio.sleep(self.connect_delay_s)

    def ack_delay(self) -> float | None:
        """How long an acknowledgement is on its way; none where it never arrives."""
        if self.ack_loss and self._chance.random() < self.ack_loss:
            return None
        return self.ack_delay_s

    def clear(self) -> None:
        """All is well again."""
        self._until = self._refusing_until = 0.0
        self._open.set()
        self.refuse_status = self.refuse_app = None
        self.connect_delay_s = self.ack_delay_s = self.ack_loss = 0.0
        self.deaf = False
