"""The producer, the consumer and the admin client on a real broker."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from schemas.letter import DeadLetter
from schemas.record import CannotWrite
from schemas.topics import AUDIT_RUNS, DEAD_LETTERS, SLACK_INBOUND, TOPICS, TopicSettings, settings_for
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings, TelemetrySettings
from services.kit.kafka import admin
from services.kit.kafka.consumer import (
    FetchesNoMore,
    NoSuchTopic,
    Record,
    fetched,
    group_consumer,
    onward,
    processing,
    reader,
    record_of,
)
from services.kit.kafka.metrics import CATALOGUE
from services.kit.kafka.producer import Producer
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.metrics import Metrics, metrics_of
from services.kit.telemetry.traces import context_of, tracer_for
from tests.samples import AT, run_state


def instruments(metrics: Metrics | None = None) -> Instruments:
    with tracer_for("test", TelemetrySettings()) as tracer:
        return Instruments(SystemClock(), (metrics or metrics_of("test", CATALOGUE)).emitter, tracer)


async def read(settings: KafkaSettings, count: int) -> list[Record]:
    async with reader(settings, AUDIT_RUNS) as consumer, asyncio.timeout(20):
        return [record_of(await consumer.getone(), settings.topic_prefix) for _ in range(count)]


async def test_events_are_read_as_they_were_written_in_order_with_their_headers(topics: KafkaSettings) -> None:
    metrics = metrics_of("test", CATALOGUE)
    events = [run_state(run_id=f"run-{number}") for number in range(50)]
    async with Producer(topics, "router", instruments(metrics)) as producer:
        sent = [await producer.send(AUDIT_RUNS, "T1:C1:1.0", event, f"id-{n}") for n, event in enumerate(events)]
        placed = await asyncio.gather(*sent)
    records = await read(topics, len(events))
    decoded = [record.decode() for record in records]
    assert [event for _, event in decoded] == events
    assert [attributes.id for attributes, _ in decoded] == [f"id-{n}" for n in range(50)]
    assert {attributes.source for attributes, _ in decoded} == {"/threadline/router"}
    assert [record.offset for record in records] == [place.offset for place in placed]
    assert len({record.partition for record in records}) == 1
    assert (
        'threadline_published_records_total{result="acknowledged",topic="audit.runs"} 50.0' in metrics.text().decode()
    )


async def test_a_trace_goes_through_the_topic_and_on(topics: KafkaSettings) -> None:
    exporter, metrics = InMemorySpanExporter(), metrics_of("test", CATALOGUE)
    with tracer_for("test", TelemetrySettings(), exporter) as tracer:
        working = Instruments(SystemClock(), metrics.emitter, tracer)
        async with Producer(topics, "router", working) as producer:
            with tracer.start_as_current_span("decide"):
                await producer.publish(AUDIT_RUNS, "k", run_state(), "id-1")
        (record,) = await read(topics, 1)
        attributes, _ = record.decode()
        trace = context_of(attributes)
        with processing(record.topic, attributes.id, trace, tracer), tracer.start_as_current_span("answer"):
            pass
    spans = {span.name: span for span in exporter.get_finished_spans()}
    chain = ["decide", "publish audit.runs", "process audit.runs", "answer"]
    assert len({spans[name].context.trace_id for name in chain}) == 1
    for name, child in pairwise(chain):
        parent = spans[child].parent
        assert parent is not None
        assert parent.span_id == spans[name].context.span_id


async def test_an_event_for_another_topic_is_refused_before_it_is_sent(topics: KafkaSettings) -> None:
    async with Producer(topics, "router", instruments()) as producer:
        with pytest.raises(CannotWrite):
            await producer.publish(DEAD_LETTERS, "k", run_state(), "id-1")


async def test_a_member_of_a_group_goes_on_where_it_committed_and_not_where_it_read(topics: KafkaSettings) -> None:
    async with Producer(topics, "router", instruments()) as producer:
        for number in range(4):
            await producer.publish(AUDIT_RUNS, "same", run_state(run_id=f"run-{number}"), f"id-{number}")
    async with group_consumer(topics, "report", [AUDIT_RUNS]) as consumer, asyncio.timeout(20):
        for _ in range(4):
            raw = await consumer.getone()
        await consumer.commit({TopicPartition(raw.topic, raw.partition): 2})
    async with group_consumer(topics, "report", [AUDIT_RUNS]) as consumer, asyncio.timeout(20):
        assert (await consumer.getone()).offset == 2


async def test_writes_wait_for_every_replica_and_a_retry_is_no_repeat(kafka_settings: KafkaSettings) -> None:
    # One broker cannot show the difference (its effective min.insync.replicas is 1), so the client is looked into.
    async with Producer(kafka_settings, "router", instruments()) as producer:
        assert producer._writer._client._sender._acks == -1
        assert producer._writer._client._txn_manager is not None


async def test_a_topic_that_was_never_made_is_named(kafka_settings: KafkaSettings) -> None:
    with pytest.raises(NoSuchTopic, match="`threadline topics apply` makes it"):
        async with reader(kafka_settings, AUDIT_RUNS):
            pass


async def test_a_dead_letter_holds_the_largest_record_of_any_other_topic(topics: KafkaSettings) -> None:
    letter = DeadLetter(
        at=AT, service="router", reason="not_json", detail="", value=b"x" * ((1 << 20) - 2000), key=b"\xff"
    )
    async with Producer(topics, "router", instruments()) as producer:
        await producer.publish(DEAD_LETTERS, b"\xff", letter, "id-1")
        await producer.publish(DEAD_LETTERS, None, letter.model_copy(update={"value": None}), "id-2")


async def test_a_reader_begins_at_a_moment(topics: KafkaSettings) -> None:
    async with Producer(topics, "router", instruments()) as producer:
        await producer.publish(AUDIT_RUNS, "a", run_state(run_id="before"), "id-1")
        await asyncio.sleep(0.05)
        moment = SystemClock().now()
        await asyncio.sleep(0.05)
        await producer.publish(AUDIT_RUNS, "a", run_state(run_id="after"), "id-2")
    async with reader(topics, AUDIT_RUNS, since=moment) as consumer, asyncio.timeout(20):
        attributes, _ = record_of(await consumer.getone(), topics.topic_prefix).decode()
    assert attributes.id == "id-2"
    async with reader(topics, AUDIT_RUNS, since=moment + timedelta(hours=1)) as consumer:
        assert await consumer.getmany(timeout_ms=300) == {}


async def test_what_a_topic_lacks_is_made_and_then_it_is_as_declared(kafka_settings: KafkaSettings) -> None:
    async with admin.admin_client(kafka_settings) as client:
        declared = admin.declared_on(await admin.cluster_of(client, kafka_settings))
        names = [topic.name for topic in declared]
        assert await admin.live_topics(client, names) == {}
        await admin.create(client, declared)
        await admin.create(client, declared)
        live = await admin.live_topics(client, names)
        await client.delete_topics(names)
    assert [each for topic in declared for each in admin.differences(topic, live[topic.name])] == []
    assert len(names) == len(TOPICS)


async def test_every_difference_is_named_and_what_can_be_changed_is(kafka_settings: KafkaSettings) -> None:
    async with admin.admin_client(kafka_settings) as client:
        cluster = await admin.cluster_of(client, kafka_settings)
        declared = settings_for(SLACK_INBOUND, cluster)
        crooked = TopicSettings(declared.name, 2, 1, (("retention.ms", "1000"), ("segment.jitter.ms", "3600000")))
        await admin.create(client, [crooked])
        before = (await admin.live_topics(client, [declared.name]))[declared.name]
        await admin.alter(client, declared, before)
        after = (await admin.live_topics(client, [declared.name]))[declared.name]
        await client.delete_topics([declared.name])
    found = {difference.what: difference for difference in admin.differences(declared, before)}
    assert found.keys() >= {"partitions", "retention.ms", "message.timestamp.type"}
    assert str(found["partitions"]) == f"{declared.name}: partitions is 2, declared is 4"
    assert not found["partitions"].can_be_altered
    assert [difference.what for difference in admin.differences(declared, after)] == ["partitions"]
    assert after.overrides["segment.jitter.ms"] == "3600000", "what somebody else set on the topic stays"


async def test_a_cluster_that_is_not_there_is_an_error_and_no_hang() -> None:
    nowhere = KafkaSettings(kafka_brokers="127.0.0.1:9")
    with pytest.raises(KafkaError):
        async with asyncio.timeout(20), admin.admin_client(nowhere):
            pass


async def test_callers_at_once_keep_the_order_of_each_key_while_the_topic_is_not_known(
    kafka_settings: KafkaSettings,
) -> None:
    count = 60
    async with admin.admin_client(kafka_settings) as client:
        declared = settings_for(AUDIT_RUNS, await admin.cluster_of(client, kafka_settings))
        async with Producer(kafka_settings, "router", instruments()) as producer, asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(producer.publish(AUDIT_RUNS, "same", run_state(), f"id-{number}"))
                await asyncio.sleep(0.01)  # each waits on its own, as they do after a broker's restart
                if number == count // 2:
                    await admin.create(client, [declared])
        decoded = [record.decode()[0].id for record in await read(kafka_settings, count)]
        await client.delete_topics([declared.name])
    assert decoded == [f"id-{number}" for number in range(count)]


async def test_a_reader_whose_fetching_has_ended_says_so_instead_of_waiting_for_ever(topics: KafkaSettings) -> None:
    async with reader(topics, SLACK_INBOUND) as consumer:
        assert await fetched(consumer, timeout_ms=100) == {}
        consumer._fetcher._fetch_task.cancel()
        with pytest.raises(FetchesNoMore):
            await anext(onward(consumer))


async def test_a_reader_that_is_stopped_gives_nothing_and_is_no_trouble(topics: KafkaSettings) -> None:
    async with reader(topics, SLACK_INBOUND) as consumer:
        waiting = asyncio.create_task(fetched(consumer, timeout_ms=20_000))
        await asyncio.sleep(0)
    assert await waiting == {}
