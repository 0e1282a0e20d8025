"""Whether a process may still act for its partitions: its group heard of it lately, and is not sharing them out."""

from typing import Any

from aiokafka import AIOKafkaConsumer

from services.kit.clock import Clock


class Fence:
    """Opens with each heartbeat that the group answers, and closes by itself half a session later.

    What acts on the outside cannot be taken back. Who was paused, or cut off, must not act with what it knew before:
    by then others have its partitions.
    """

    def __init__(self, clock: Clock, session_s: float) -> None:
        self._clock, self._good_for_s = clock, session_s / 2
        self._heard_at = float("-inf")
        self.partitions: frozenset[int] = frozenset()
        """Those that are this process's, none while they are shared out."""

    def watch(self, consumer: AIOKafkaConsumer) -> None:
        """Hears of the heartbeats of a consumer. aiokafka 0.14 tells nobody of them."""
        coordinator = consumer._coordinator  # noqa: SLF001 - there is no other way to know
        beat = coordinator._do_heartbeat  # noqa: SLF001 - likewise

        async def beaten(*arguments: Any) -> bool:
            began = self._clock.monotonic()
            answered: bool = await beat(*arguments)
            if answered:
                self._heard_at = began
            return answered

        coordinator._do_heartbeat = beaten  # noqa: SLF001 - likewise

    def joined(self, partitions: frozenset[int]) -> None:
        """The group has shared out its partitions: that is an answer, too."""
        self._heard_at = self._clock.monotonic()
        self.partitions = partitions

    def close(self) -> None:
        """They are shared out anew."""
        self.partitions = frozenset()

    def may_act(self, partition: int) -> bool:
        """Whether a call may be made for it now."""
        return partition in self.partitions and self._clock.monotonic() - self._heard_at < self._good_for_s
