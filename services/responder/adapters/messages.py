"""What programs asked to be said, and what became of it: follows both topics while the endpoint is open."""

import asyncio
import logging
from collections import OrderedDict
from datetime import timedelta
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

from schemas.command import OutboundMessage
from schemas.effect import EffectConfirmed, EffectFailed, EffectIntended, EffectUnknown
from schemas.record import CannotRead
from schemas.topics import RUNS_COMMANDS, SLACK_EFFECTS, Topic
from services.kit.clock import Clock
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import fetched, reader, record_of
from services.responder.decisions.message_view import MessageView, effect_of, with_entry, with_request

log = logging.getLogger(__name__)

BACK: Final = timedelta(hours=24)
"""How far back it looks when it starts, and how long a key is known at least."""
MOST: Final = 50_000
PAUSE_S: Final = 2.0
POLL_MS: Final = 200
MARKS: Final = {RUNS_COMMANDS: b'"type":"message.requested"', SLACK_EFFECTS: b'"purpose":"message"'}
"""What stands in each record that is about a message. Others need not be opened."""


class Messages:
    """The last messages that programs asked for, by the names of their effects."""

    def __init__(self, settings: KafkaSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._views: OrderedDict[str, MessageView] = OrderedDict()
        self._behind = set(MARKS)

    def trouble(self) -> str | None:
        """Why nobody can say yet what was asked before; none where it is known."""
        return "it reads what programs asked for before" if self._behind else None

    def claim(self, message: OutboundMessage) -> MessageView:
        """What its key stands for: this message, from now on, or what was asked under it before."""
        return self._keep(with_request(self._views.get(message.effect_id), message, durable=False))

    def accepted(self, message: OutboundMessage) -> None:
        """The broker has it."""
        self._keep(with_request(self._views.get(message.effect_id), message))

    def view(self, effect_id: str, tenant_id: str) -> MessageView | None:
        """A message of this tenant's."""
        found = self._views.get(effect_id)
        return found if found is not None and found.is_durable and found.tenant_id == tenant_id else None

    async def follow(self) -> None:
        """Reads until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for topic in MARKS:
                group.create_task(self._follow(topic))

    async def _follow(self, topic: Topic) -> None:
        told = False
        while True:
            try:
                async with reader(self._settings, topic, self._clock.now() - BACK) as consumer:
                    await self._catch_up(topic, consumer)
                    told = False
                    while True:
                        await self._read_on(topic, consumer)
            except (KafkaError, OSError, Fault) as error:
                self._behind.add(topic)
                if not told:
                    log.warning("%s cannot be followed (%s): programs' messages must wait", topic.name, error)
                told = True
                await asyncio.sleep(PAUSE_S)

    async def _catch_up(self, topic: Topic, consumer: AIOKafkaConsumer) -> None:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            await self._read_on(topic, consumer)
        self._behind.discard(topic)

    async def _read_on(self, topic: Topic, consumer: AIOKafkaConsumer) -> None:
        for records in (await fetched(consumer, timeout_ms=POLL_MS)).values():
            for raw in records:
                if MARKS[topic] in (raw.value or b""):
                    self._take(raw)

    def _take(self, raw: ConsumerRecord) -> None:
        try:
            _, event = record_of(raw, self._settings.topic_prefix).decode()
        except CannotRead as error:
            log.warning("a record of %s cannot be read, and is passed over: %s", raw.topic, error)
            return
        if isinstance(event, OutboundMessage):
            self.accepted(event)
        elif isinstance(event, EffectIntended | EffectConfirmed | EffectFailed | EffectUnknown):
            view = with_entry(self._views.get(effect_of(event) or ""), event)
            if view is not None:
                self._keep(view)

    def _keep(self, view: MessageView) -> MessageView:
        self._views[view.effect_id] = view
        self._views.move_to_end(view.effect_id)
        while len(self._views) > MOST:
            self._views.popitem(last=False)
        return view
