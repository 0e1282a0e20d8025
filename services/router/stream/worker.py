"""The Faust application: one agent over one topic, whose consumer is held to the flow."""

import asyncio
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import TP
from typing_extensions import override

from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.consumer import must_fetch
from services.router.stream.consumer import CANNOT_BE_SOUND, GaplessTransport, Watch
from services.router.stream.deciding import Source
from services.router.stream.flow import Flow

log = logging.getLogger(__name__)

COMMITTED_WITHIN_S = 2.0
HEARTBEATS = 3.0
"""In each session."""
REQUEST_S = 30.0
NEVER_S = 1e8
"""Who has nothing to fetch, as all of it is halted, does not leave the group for that."""
BUFFERED = 500
COMMIT_EVERY_S = 0.5
POLL = 1000


class Crashed(Fault):
    """Faust cannot go on."""


@dataclass(frozen=True)
class Membership:
    """Who we are in the group."""

    group: str
    name: str
    session_s: float
    folder: Path
    """Where Faust makes folders of its own. It keeps nothing in them: what a router remembers is on its topics."""


class QuietMonitor(faust.Monitor):
    """Counts nothing for each event: we measure ourselves. Faust wants to know when a stream heard something last."""

    @override
    def on_message_in(self, tp: Any, offset: int, message: Any) -> None:
        pass

    @override
    def on_stream_event_in(self, tp: Any, offset: int, stream: Any, event: Any) -> None:
        self.stream_inbound_time[tp] = time.monotonic()

    @override
    def on_stream_event_out(self, tp: Any, offset: int, stream: Any, event: Any, state: Any = None) -> None:
        pass

    @override
    def on_message_out(self, tp: Any, offset: int, message: Any) -> None:
        pass


class Worker:
    """Runs the agent."""

    def __init__(self, settings: KafkaSettings, membership: Membership, watch: Watch, flow: Flow[Any]) -> None:
        self._flow, self._watch = flow, watch
        self.app = _application(settings, membership)
        self.app.transport = GaplessTransport(self.app, watch)
        source = self.app.topic(watch.reading.topic, key_serializer="raw", value_serializer="raw")
        self.app.agent(source, name=f"{membership.group}.agent")(self._take)
        self.app.on_rebalance_complete.connect(self._load)
        self.app.on_partitions_revoked.connect(self._leave)

    async def _take(self, stream: Any) -> None:
        """Faust is told at once that a record is done with: its acknowledgements move nothing. The watermark does."""
        async for event in stream.noack().events():
            message = event.message
            await stream.ack(event)
            source = Source(
                message.partition,
                message.offset,
                message.key,
                message.value,
                tuple(message.headers or ()),
                message.timestamp or 0.0,
            )
            try:
                await self._flow.take(source, message.generation_id)
            except Exception:
                # Faust would take the record for done with, and go on with the next.
                log.critical("offset %d of partition %d could not be taken", source.offset, source.partition)
                log.exception("the process ends before it is passed over")
                logging.shutdown()
                os._exit(CANNOT_BE_SOUND)

    async def _load(self, *_: Any, **__: Any) -> None:
        generation = self.app.consumer_generation_id
        ours = {tp.partition for tp in self.app.consumer.assignment() if tp.topic == self._watch.reading.topic}
        self._watch.reading.keep_only(ours)
        await self._flow.load(ours, generation)

    async def _leave(self, *_: Any, **__: Any) -> None:
        self._flow.leave()

    def lags(self) -> dict[int, int]:
        """How many records of each partition of ours are not done with."""
        reading, consumer = self._watch.reading, self.app.consumer
        ours = consumer.assignment()
        found = {}
        for number, place in reading.places.items():
            tp = TP(reading.topic, number)
            if tp in ours:
                found[number] = max(0, (consumer.highwater(tp) or 0) - place.watermark)
        return found

    def check(self) -> None:
        """Raises what Faust would never hear of: it does not ask aiokafka whether its parts are alive."""
        thread = getattr(self.app.consumer, "_thread", None)
        consumer = getattr(thread, "_consumer", None)
        if consumer is None:
            return
        if (coordinator := consumer._coordinator) is not None:  # noqa: SLF001 - there is no other way to ask
            coordinator.check_errors()
        must_fetch(consumer)

    async def commit(self) -> None:
        """Commits what is done with, if that can be had soon."""
        if self.app.started and self.app.consumer.started:
            committing = asyncio.ensure_future(self.app.consumer.commit())
            await asyncio.wait({committing}, timeout=COMMITTED_WITHIN_S)  # it swallows a cancellation

    async def run(self) -> None:
        """Until it is cancelled, or cannot go on."""
        try:
            await self.app.start()  # it returns only when the partitions are there
            await self.app.wait_until_stopped()
        finally:
            await self.app.stop()
        raise Crashed("Faust stopped; nothing that was decided is lost, and the rest is decided after a restart")


def _application(settings: KafkaSettings, membership: Membership) -> faust.App:
    """What Faust is told. Times are seconds."""
    brokers = [f"kafka://{each.strip()}" for each in settings.kafka_brokers.split(",")]
    return faust.App(
        membership.group,
        broker=brokers,
        broker_credentials=_credentials(settings),
        broker_client_id=f"threadline-{membership.group}",
        consumer_group_instance_id=membership.name,
        broker_session_timeout=membership.session_s,
        broker_heartbeat_interval=membership.session_s / HEARTBEATS,
        broker_request_timeout=max(REQUEST_S, membership.session_s + HEARTBEATS),
        broker_max_poll_interval=NEVER_S,
        stream_buffer_maxsize=BUFFERED,
        broker_commit_interval=COMMIT_EVERY_S,
        broker_max_poll_records=POLL,
        consumer_auto_offset_reset="earliest",
        store="memory://",
        datadir=membership.folder.absolute() / "faust",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        Monitor=QuietMonitor,
        stream_wait_empty=False,
        autodiscover=False,
    )


def _credentials(settings: KafkaSettings) -> Any:
    arguments = client_arguments(settings)
    security, context = arguments["security_protocol"], arguments.get("ssl_context")
    if security.startswith("SASL_"):
        return SASLCredentials(
            username=arguments["sasl_plain_username"],
            password=arguments["sasl_plain_password"],
            ssl_context=context,
            mechanism=arguments["sasl_mechanism"],
        )
    return SSLCredentials(context) if context is not None else None
