"""The way to a topic, on a broker that is held up, stopped and killed: nothing is lost, and nothing is overtaken."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
from opentelemetry.trace import NoOpTracer

from bench.beds.broker import OwnBroker
from bench.beds.inbound import stored
from schemas.letter import DeadLetter
from schemas.topics import DEAD_LETTERS, SLACK_INBOUND, settings_for
from services.ingress import metrics
from services.ingress.adapters.broker import Broker
from services.ingress.adapters.dead_letters import dead_letter
from services.ingress.adapters.entry import NotKept
from services.ingress.adapters.intake import Intake
from services.ingress.adapters.spool import Spool
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin
from services.kit.kafka.metrics import CATALOGUE
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.metrics import Metrics, metrics_of
from tests.ingress.records import AT, record

PATIENCE_S = 0.3
SOON_S = 30.0
Opens = Callable[..., AbstractAsyncContextManager[Intake]]


@pytest.fixture
def measured() -> Metrics:
    return metrics_of("test", (*metrics.CATALOGUE, *CATALOGUE))


@pytest.fixture
def opens(fragile_topics: KafkaSettings, tmp_path: Path, measured: Metrics) -> Opens:
    @asynccontextmanager
    async def opened(
        *, room: int = 1 << 30, settings: KafkaSettings = fragile_topics, patience_s: float = PATIENCE_S
    ) -> AsyncIterator[Intake]:
        instruments = Instruments(SystemClock(), measured.emitter, NoOpTracer())
        spool = Spool(tmp_path / "spool.db", room)
        letters = Spool(tmp_path / "letters.db", room)
        async with (
            Intake(DEAD_LETTERS, letters, Broker(settings, instruments), instruments, patience_s) as aside,
            Intake(SLACK_INBOUND, spool, Broker(settings, instruments), instruments, patience_s) as intake,
        ):
            intake.letters = aside
            yield intake

    return opened


WARMING = 1_000_000


async def until_direct(intake: Intake) -> None:
    """Until the broker takes what it is given: at first it has yet to choose who leads a new topic."""
    async with asyncio.timeout(SOON_S):
        for number in count(WARMING):
            await intake._drained.wait()
            if await intake.take(record(number)) == "broker":
                return


async def take(intake: Intake, numbers: range) -> list[str]:
    return list(await asyncio.gather(*(intake.take(record(number)) for number in numbers)))


def numbers_of(found: list[str]) -> list[int]:
    return [int(each.removeprefix("A1:T1:Ev")) for each in found]


async def on_the_topic(settings: KafkaSettings) -> list[int]:
    return [each for each in numbers_of([each.id for each in await stored(settings)]) if each < WARMING]


async def test_what_the_broker_takes_in_time_never_sees_the_spool(opens: Opens, fragile_topics: KafkaSettings) -> None:
    async with opens(patience_s=10.0) as intake:
        await until_direct(intake)
        assert await take(intake, range(200)) == ["broker"] * 200
        assert intake._disk.records == 0
    assert await on_the_topic(fragile_topics) == list(range(200))


async def test_while_the_broker_stands_still_everything_is_spooled_and_then_drained_in_order(
    opens: Opens, fragile: OwnBroker, fragile_topics: KafkaSettings, measured: Metrics
) -> None:
    async with opens() as intake:
        await until_direct(intake)
        assert set(await take(intake, range(10))) == {"broker"}
        fragile.hold_up()
        began = SystemClock().monotonic()
        assert set(await take(intake, range(10, 20))) == {"spool"}
        assert SystemClock().monotonic() - began >= PATIENCE_S
        assert b'threadline_ingress_spooling{topic="slack.inbound"} 1.0' in measured.text()
        assert set(await take(intake, range(20, 120))) == {"spool"}
        fragile.let_go()
        taken = 120
        while not intake._direct:
            await take(intake, range(taken, taken + 5))
            taken += 5
            await asyncio.sleep(0.02)  # one after the other is drained: slower than records can be put aside
        assert set(await take(intake, range(taken, taken + 10))) == {"broker"}
    found = await on_the_topic(fragile_topics)
    assert list(dict.fromkeys(found)) == list(range(taken + 10))
    assert set(found) - set(range(10, 20)) == set(range(10)) | set(range(20, taken + 10))
    assert len(found) - len(set(found)) <= 10, "only what was on the wire when the broker stood still is written again"


async def test_a_broker_that_is_killed_and_comes_back(
    opens: Opens, fragile: OwnBroker, fragile_topics: KafkaSettings
) -> None:
    async with opens() as intake:
        await until_direct(intake)
        giving = [intake.take(record(number)) for number in range(50)]
        await fragile.kill()
        giving += [intake.take(record(number)) for number in range(50, 150)]
        kept = await asyncio.gather(*giving)
        assert set(kept) <= {"broker", "spool"}
        assert "spool" in kept
        await fragile.start()
        await until_direct(intake)
    found = await on_the_topic(fragile_topics)
    assert list(dict.fromkeys(found)) == list(range(150))


async def test_an_intake_that_never_met_the_broker_spools_and_the_next_one_drains_first(
    opens: Opens, fragile: OwnBroker, fragile_topics: KafkaSettings
) -> None:
    await fragile.stop()
    async with opens() as intake:
        assert set(await take(intake, range(20))) == {"spool"}
    async with opens() as intake:
        assert not await intake.ready(0.5), "the broker is away: it is not waited for any longer"
        assert set(await take(intake, range(20, 30))) == {"spool"}
        await fragile.start()
        assert await intake.ready(SOON_S)
        assert set(await take(intake, range(30, 40))) == {"broker"}
    assert await on_the_topic(fragile_topics) == list(range(40))


async def test_a_full_spool_refuses_and_says_so(opens: Opens, fragile: OwnBroker, measured: Metrics) -> None:
    fragile.hold_up()
    async with opens(room=1 << 20) as intake:
        taken = [intake.take(record(number, padding=50_000)) for number in range(30)]
        kept = await asyncio.gather(*taken, return_exceptions=True)
        refused = [each for each in kept if isinstance(each, NotKept)]
        assert refused
        assert kept[: len(kept) - len(refused)] == ["spool"] * (len(kept) - len(refused))
        assert "could not be kept" in (intake.trouble() or "")
        assert await intake.take(record(100, once_only=True, padding=50_000)) == "spool"
        assert intake.trouble() is None
        assert (
            f'threadline_ingress_not_kept_total{{topic="slack.inbound"}} {len(refused)}.0'.encode() in measured.text()
        )
        fragile.let_go()
        await until_direct(intake)


async def test_a_record_that_the_broker_never_takes_becomes_a_dead_letter_and_stops_nobody(
    opens: Opens, fragile: OwnBroker, fragile_topics: KafkaSettings
) -> None:
    huge = 1_200_000
    async with opens() as intake:
        await until_direct(intake)
        giving = [intake.take(record(number, padding=huge if number == 3 else 0)) for number in range(6)]
        assert set(await asyncio.gather(*giving)) <= {"broker", "spool"}
        await until_direct(intake)
        fragile.hold_up()
        giving = [intake.take(record(number, padding=huge if number == 8 else 0)) for number in range(6, 12)]
        assert set(await asyncio.gather(*giving)) == {"spool"}
        fragile.let_go()
        await until_direct(intake)
    assert list(dict.fromkeys(await on_the_topic(fragile_topics))) == [0, 1, 2, 4, 5, 6, 7, 9, 10, 11]
    letters = await stored(fragile_topics, DEAD_LETTERS)
    assert sorted(set(numbers_of([each.id for each in letters]))) == [3, 8]
    for letter in letters:
        assert isinstance(letter.event, DeadLetter)
        assert letter.event.reason == "too_large"
        assert len(letter.event.value or b"") > huge


async def test_topics_that_are_missing_are_waited_for(
    opens: Opens, fragile: OwnBroker, fragile_topics: KafkaSettings
) -> None:
    elsewhere = fragile_topics.model_copy(update={"topic_prefix": f"{fragile_topics.topic_prefix}later."})
    async with opens(settings=elsewhere) as intake:
        assert set(await take(intake, range(5))) == {"spool"}
        await fragile.make_topics(elsewhere.topic_prefix)
        async with asyncio.timeout(60):
            while not intake._direct:  # noqa: ASYNC110 - the intake has no event for it
                await asyncio.sleep(0.1)
        assert set(await take(intake, range(5, 10))) == {"broker"}
    assert list(dict.fromkeys(await on_the_topic(elsewhere))) == list(range(10))


async def test_envelopes_of_a_usual_size_keep_their_order_through_outages(
    opens: Opens, fragile: OwnBroker, fragile_topics: KafkaSettings
) -> None:
    """So many that the client's batch is full: who waits to be let in must not be overtaken by who came later."""
    async with opens() as intake:
        await until_direct(intake)
        number = 0
        giving = []
        for round_ in range(3):
            for step in range(60):
                if step == 20:
                    fragile.hold_up()
                if step == 50:
                    fragile.let_go()
                giving += [intake.take(record(number + each, padding=1_200)) for each in range(10)]
                number += 10
                await asyncio.sleep(0.02)
            assert set(await asyncio.gather(*giving)) == {"broker", "spool"}, round_
            await until_direct(intake)
    found = await on_the_topic(fragile_topics)
    assert list(dict.fromkeys(found)) == list(range(number))


async def test_dead_letters_that_cannot_be_written_stand_in_nobodys_way(
    opens: Opens, fragile_topics: KafkaSettings
) -> None:
    elsewhere = fragile_topics.model_copy(update={"topic_prefix": f"{fragile_topics.topic_prefix}one."})
    async with admin.admin_client(elsewhere) as client:
        cluster = await admin.cluster_of(client, elsewhere)
        await admin.create(client, [settings_for(SLACK_INBOUND, cluster)])
    async with opens(settings=elsewhere) as intake:
        assert intake.letters is not None
        letter = intake.letters.take(dead_letter(b"rubbish", "not_json", "it is none", AT, "one"))
        await until_direct(intake)
        assert set(await take(intake, range(20))) == {"broker"}
        assert await letter == "spool"


async def test_a_spool_that_is_damaged_is_kept_and_the_next_envelopes_are_kept_too(
    opens: Opens, fragile: OwnBroker, fragile_topics: KafkaSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fragile.hold_up()
    async with opens() as intake:
        await asyncio.gather(*(intake.take(record(number, padding=3_000)) for number in range(40)))
    file = tmp_path / "spool.db"
    spoilt = bytearray(file.read_bytes())
    half = len(spoilt) // 2
    spoilt[half:] = b"\xff" * (len(spoilt) - half)
    file.write_bytes(bytes(spoilt))
    fragile.let_go()
    async with opens() as intake:
        await until_direct(intake)
        assert set(await take(intake, range(100, 110))) <= {"broker", "spool"}
    assert "with 40 acknowledged envelopes" in caplog.text
    assert await on_the_topic(fragile_topics) == list(range(100, 110))


async def test_after_a_full_spool_all_is_well_again_once_the_broker_takes_what_comes(
    opens: Opens, fragile: OwnBroker
) -> None:
    fragile.hold_up()
    async with opens(room=1 << 20) as intake:
        taken = [intake.take(record(number, padding=50_000)) for number in range(30)]
        assert any(isinstance(each, NotKept) for each in await asyncio.gather(*taken, return_exceptions=True))
        fragile.let_go()
        await until_direct(intake)
        assert intake.trouble() is None
