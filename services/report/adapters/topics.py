"""Reads a stretch of topics by the batch, with librdkafka: each partition to where it ends now, in its order."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.lines import Kept, attribute, place
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.report.adapters.ahead import one_ahead
from services.report.adapters.batch import Batch, Progress, Stretch
from services.report.decisions.opening import Sealed, opened

ID_AT: Final = 1
"""Where our own writers put the id among the headers: it is looked for there first."""
AT_ONCE: Final = 20_000
"""Records in a batch."""
WAIT_S: Final = 0.25
ANSWERS_WITHIN_S: Final = 10
QUIET: Final = 240
"""A broker that has records and sends none after so many waits in a row is given up."""


class Unreachable(Fault):
    """The cluster does not answer, or stopped to."""


class NoTopics(Fault):
    """None of the topics is there."""


Headers = list[tuple[str, bytes | None]] | None


class Message(Protocol):
    """A record as librdkafka hands it over. Its own types also allow for messages that were never on a topic."""

    def topic(self) -> str: ...  # noqa: D102 - these are named after what they give
    def partition(self) -> int: ...  # noqa: D102
    def offset(self) -> int: ...  # noqa: D102
    def timestamp(self) -> tuple[int, int]: ...  # noqa: D102
    def key(self) -> bytes | None: ...  # noqa: D102
    def headers(self) -> Headers: ...  # noqa: D102
    def value(self) -> bytes | None: ...  # noqa: D102
    def error(self) -> KafkaError | None: ...  # noqa: D102


@dataclass(frozen=True)
class Part:
    """What is to be read of one partition."""

    topic: str
    """As the cluster calls it, with the prefix."""
    partition: int
    begin: int
    end: int


class Topics:
    """A stretch of some topics on one cluster."""

    def __init__(self, settings: KafkaSettings, names: Sequence[str], stretch: Stretch) -> None:
        self._settings, self._names, self._stretch = settings, names, stretch
        self.absent: list[str] = []
        """Topics that the cluster does not have: a log of an older version lacks the newer ones."""

    def batches(self, progress: Progress) -> Iterator[Batch]:
        """Their events. The next batch is read while one is opened."""
        return one_ahead(partial(self._opened, messages) for messages in self._messages(progress))

    def records(self, progress: Progress) -> Iterator[list[Kept]]:
        """Their records, as they stand there."""
        for messages in self._messages(progress):
            yield [self._kept(message) for message in messages]

    def _opened(self, messages: list[Message]) -> Batch:
        sealed = Sealed(
            ids=[_id_in(message.headers()) or self._place(message) for message in messages],
            values=[message.value() for message in messages],
            type_in_header=lambda row: attribute(messages[row].headers(), "ce_type"),
        )
        return Batch(opened(sealed), lambda row: self._place(messages[row]))

    def _place(self, message: Message) -> str:
        return place(self._plain(message.topic()), message.partition(), message.offset())

    def _plain(self, topic: str) -> str:
        return topic.removeprefix(self._settings.topic_prefix)

    def _kept(self, message: Message) -> Kept:
        return Kept(
            topic=self._plain(message.topic()),
            partition=message.partition(),
            offset=message.offset(),
            appended_ms=message.timestamp()[1],
            key=message.key(),
            headers=tuple(message.headers() or ()),
            value=message.value(),
        )

    def _messages(self, progress: Progress) -> Iterator[list[Message]]:
        try:
            with closing(Consumer(_arguments(self._settings))) as consumer:
                parts = self._parts(consumer)
                yield from _read(consumer, parts, self._stretch, progress)
        except KafkaException as error:
            raise Unreachable(
                f"no Kafka cluster answers at {self._settings.kafka_brokers} ({error.args[0].name()}); nothing was "
                "written. `threadline local start` starts one on this machine; THREADLINE_KAFKA_BROKERS names another"
            ) from error

    def _parts(self, consumer: Consumer) -> list[Part]:
        known = consumer.list_topics(timeout=ANSWERS_WITHIN_S).topics
        names = [f"{self._settings.topic_prefix}{name}" for name in self._names]
        self.absent = [self._plain(name) for name in names if name not in known]
        if len(self.absent) == len(names):
            raise NoTopics(
                f"there is no topic {' or '.join(names)} at {self._settings.kafka_brokers}; nothing was read. "
                "THREADLINE_TOPIC_PREFIX names another set of topics; `threadline topics apply` makes them"
            )
        places = [TopicPartition(name, each) for name in names if name in known for each in known[name].partitions]
        bounds = [consumer.get_watermark_offsets(each, timeout=ANSWERS_WITHIN_S) for each in places]
        begins = _offsets(
            consumer, places, self._stretch.since, [low for low, _ in bounds], [high for _, high in bounds]
        )
        ends = _offsets(
            consumer, places, self._stretch.until, [high for _, high in bounds], [high for _, high in bounds]
        )
        parts = [
            Part(each.topic, each.partition, begin, end) for each, begin, end in zip(places, begins, ends, strict=True)
        ]
        return [part for part in parts if part.begin < part.end]


def _id_in(headers: Headers) -> str | None:
    if headers and len(headers) > ID_AT:
        name, value = headers[ID_AT]
        if name == "ce_id" and value:
            return value.decode("utf-8", "replace")
    return attribute(headers, "ce_id")


def _offsets(
    consumer: Consumer, places: list[TopicPartition], moment: datetime | None, otherwise: list[int], ends: list[int]
) -> list[int]:
    """For each partition its first record of a moment or later; its end where there is none."""
    if moment is None or not places:
        return otherwise
    wanted = [TopicPartition(each.topic, each.partition, int(moment.timestamp() * 1000)) for each in places]
    found = {
        (each.topic, each.partition): each.offset
        for each in consumer.offsets_for_times(wanted, timeout=ANSWERS_WITHIN_S)
    }
    offsets = [found[each.topic, each.partition] for each in places]
    return [end if offset < 0 else offset for offset, end in zip(offsets, ends, strict=True)]


def _read(consumer: Consumer, parts: list[Part], stretch: Stretch, progress: Progress) -> Iterator[list[Message]]:
    """A partition is done at its end. Where records were deleted or compacted away, the broker says that it is."""
    ends = {(part.topic, part.partition): part.end for part in parts}
    done, total = 0, sum(part.end - part.begin for part in parts)
    consumer.assign([TopicPartition(part.topic, part.partition, part.begin) for part in parts])
    open_, quiet = set(ends), 0
    while open_:
        before = set(open_)
        met = cast("list[Message]", consumer.consume(AT_ONCE, WAIT_S))
        messages, reached = _sound(met, open_), _reached(consumer, ends)
        if any(offset > ends[here] for here, offset in reached.items()):  # what came since it was begun
            messages = [each for each in messages if each.offset() < ends[each.topic(), each.partition()]]
        if stretch != Stretch():
            messages = [each for each in messages if stretch.holds(each.timestamp()[1])]
        done_with = (before - open_) | {here for here in open_ if reached[here] >= ends[here]}
        open_ -= done_with
        consumer.pause([TopicPartition(*here) for here in done_with])  # nothing is waited for there, or fetched
        quiet = 0 if met else quiet + 1
        if quiet > QUIET:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its own name for it
        if messages:
            done += len(messages)
            progress(min(done, total), total)
            yield messages
    progress(total, total)


def _reached(consumer: Consumer, ends: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Up to where each partition is read. One of which nothing came yet stands before its beginning."""
    places = consumer.position([TopicPartition(*here) for here in ends])
    return {(each.topic, each.partition): each.offset for each in places}


def _sound(met: list[Message], waited_for: set[tuple[str, int]]) -> list[Message]:
    """Without what are no records: a partition's end is one, and nothing is waited for there any more."""
    signs = [(message, error) for message in met if (error := message.error()) is not None]
    for sign, error in signs:
        if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - likewise
            raise KafkaException(error)
        waited_for.discard((sign.topic(), sign.partition()))
    return [message for message in met if message.error() is None] if signs else met


def _arguments(settings: KafkaSettings) -> dict[str, Any]:
    """What librdkafka calls the settings. It joins no group: its name is only demanded."""
    password, key_password = settings.kafka_password, settings.kafka_key_password
    given = {
        "bootstrap.servers": settings.kafka_brokers,
        "security.protocol": settings.kafka_security,
        "sasl.mechanism": settings.kafka_sasl_mechanism if settings.kafka_security.startswith("SASL_") else None,
        "sasl.username": settings.kafka_username,
        "sasl.password": password.get_secret_value() if password else None,
        "ssl.ca.location": settings.kafka_ca_file,
        "ssl.certificate.location": settings.kafka_cert_file,
        "ssl.key.location": settings.kafka_key_file,
        "ssl.key.password": key_password.get_secret_value() if key_password else None,
    }
    return {
        **{name: str(value) for name, value in given.items() if value is not None},
        "client.id": "threadline-report",
        "group.id": f"{settings.topic_prefix}report",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
        "fetch.message.max.bytes": 4 << 20,
        "fetch.wait.max.ms": 50,
        "queued.min.messages": 5 * AT_ONCE,
        "queued.max.messages.kbytes": 64 << 10,
        "log_level": 0,  # a command says itself what went wrong
    }
