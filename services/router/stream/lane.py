"""A lane: records that are written in their order, however often the broker goes away. Nothing in it overtakes."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError

from schemas.attributes import Headers
from schemas.topics import Topic
from services.kit.groups import KafkaSettings
from services.kit.kafka.metrics import PUBLISH_SECONDS, PUBLISHED
from services.kit.kafka.writer import Writer
from services.kit.telemetry.instruments import Instruments
from services.router.stream.pulse import Pulse

log = logging.getLogger(__name__)

CONNECT_WITHIN_S = 10.0
ANSWER_WITHIN_S = 15.0
"""How long the oldest record may be under way. aiokafka gives one up after 40 s, and may have delivered newer ones by
then: before that, all of them are given up and written again in their order."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
WINDOW_S, MANY, GATHERED_S = 0.1, 60, 0.008
"""Where more than so many are put within a window, they are gathered for a moment: a request for each few would cost
most of the time. Below that each goes at once."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One record as it goes out."""

    topic: Topic
    key: str | bytes | None
    value: bytes | None
    headers: Headers
    settled: Callable[[], None] = lambda: None
    """Hears that every in-sync replica has it."""
    partition: int | None = None
    stays: bool = False
    """Whether it is to be written even when partitions change hands."""


class Lane:
    """One client at a time."""

    def __init__(self, name: str, settings: KafkaSettings, instruments: Instruments, pulse: Pulse) -> None:
        self.name = name
        self._settings, self._pulse = settings, pulse
        self._clock, self._emitter = instruments.clock, instruments.emitter
        self._waiting: deque[Letter] = deque()
        self._handed: deque[tuple[Letter, asyncio.Future[Any], float]] = deque()
        self._put_one, self._handed_one = asyncio.Event(), asyncio.Event()
        self._trouble: str | None = "it is not connected yet"
        self._pause_s = FIRST_PAUSE_S
        self._put, self._window_began, self._was_busy = 0, 0.0, False

    def put(self, letters: Iterable[Letter]) -> None:
        """They are written behind everything that was put before."""
        before = len(self._waiting)
        self._waiting.extend(letters)
        self._put += len(self._waiting) - before
        self._put_one.set()

    def drop(self) -> None:
        """What is not handed over yet is let go: whoever has its partition next says it again."""
        kept = [letter for letter in self._waiting if letter.stays]
        self._waiting = deque(kept)

    def trouble(self) -> str | None:
        """Why nothing is written for now."""
        return self._trouble

    def __len__(self) -> int:
        """How many are not settled."""
        return len(self._waiting) + len(self._handed)

    async def run(self) -> None:
        """Writes, until it is cancelled."""
        while True:
            writer = Writer(self._settings, f"router-{self.name}")
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    await writer.__aenter__()
                if not self._waiting:
                    self._is_well()
                await self._write_with(writer)
            except (KafkaError, OSError) as error:  # TimeoutError among them
                self._lost(type(error).__name__)
            finally:
                self._waiting.extendleft(letter for letter, _, _ in reversed(self._handed))
                self._handed.clear()
                await writer.abandon()
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    async def _write_with(self, writer: Writer) -> None:
        """Hands records over, and hears of each in its order. Ends with the first that fails."""
        working = {asyncio.create_task(self._hand_over(writer)), asyncio.create_task(self._settle())}
        try:
            ended, _ = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        for task in ended:
            task.result()

    async def _hand_over(self, writer: Writer) -> None:
        while True:
            while self._waiting:
                self._pulse.check()
                letter = self._waiting[0]
                future = await writer.hand_over(
                    letter.topic, letter.key, letter.value, letter.headers, letter.partition
                )
                self._waiting.popleft()
                self._handed.append((letter, future, self._clock.monotonic()))
                self._handed_one.set()
            self._put_one.clear()
            await self._put_one.wait()
            if self._is_busy():
                await asyncio.sleep(GATHERED_S)

    async def _settle(self) -> None:
        written: Counter[str] = Counter()
        while True:
            while self._handed:
                letter, future, handed_at = self._handed[0]
                if not future.done():
                    async with asyncio.timeout(ANSWER_WITHIN_S):
                        await asyncio.shield(future)
                    took = self._clock.monotonic() - handed_at
                    self._emitter.observe(PUBLISH_SECONDS, took, topic=letter.topic.name)
                future.result()
                self._handed.popleft()
                if self._trouble is not None:
                    self._is_well()
                written[letter.topic.name] += 1
                letter.settled()
            for topic, count in written.items():
                self._emitter.count(PUBLISHED, count, topic=topic, result="acknowledged")
            written.clear()
            self._handed_one.clear()
            await self._handed_one.wait()

    def _is_busy(self) -> bool:
        """Whether many came within the last window."""
        now = self._clock.monotonic()
        if now - self._window_began > WINDOW_S:
            self._was_busy = self._put > MANY
            self._put, self._window_began = 0, now
        return self._was_busy

    def _is_well(self) -> None:
        if self._trouble is not None:
            log.info("the %s lane writes; %d records wait", self.name, len(self))
        self._trouble, self._pause_s = None, FIRST_PAUSE_S

    def _lost(self, why: str) -> None:
        handed = Counter(letter.topic.name for letter, _, _ in self._handed)
        for topic, count in handed.items():
            self._emitter.count(PUBLISHED, count, topic=topic, result="failed")
        if self._trouble is None:
            log.error(
                "the %s lane cannot write (%s): %d records wait for it in memory, and are written again in their order",
                *(self.name, why, len(self)),
            )
        oldest = self._handed[0][0] if self._handed else self._waiting[0] if self._waiting else None
        self._trouble = f"{oldest.topic.name if oldest else 'the broker'} takes nothing ({why})"
