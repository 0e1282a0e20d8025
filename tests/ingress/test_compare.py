"""`threadline ingress compare`, beside a bridge's log and a topic as they are found."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from opentelemetry.trace import NoOpTracer
from typing_extensions import override

from bench.beds.broker import OwnBroker
from schemas.envelope import Received, SlackEnvelope
from schemas.topics import SLACK_INBOUND
from services.ingress.adapters import comparison
from services.ingress.adapters.comparison import NotCompared, our_side
from services.ingress.decisions.comparing import Message, Sighting, Stretch
from services.ingress.settings import SHADOW
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin
from services.kit.kafka.producer import Producer
from services.kit.settings import as_environment, child_environment
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from tests.samples import event_callback

BEGUN = int(SystemClock().now().timestamp())
TEXT = "what somebody wrote"


def ts(number: int) -> str:
    """Of a message that is as old as this test."""
    return f"{BEGUN + number}.000100"


def message(number: int, **changes: Any) -> dict[str, Any]:
    return {"type": "message", "channel": "C1", "user": "U1", "text": TEXT, "ts": ts(number), **changes}


def envelope(event: dict[str, Any], event_id: str) -> SlackEnvelope:
    now = SystemClock().now()
    return SlackEnvelope(
        at=now,
        kind="events_api",
        connection="A1:T1",
        event_id=f"A1:{event_id}",
        received=Received(transport="socket", received_at=now, ingress="test"),
        payload=event_callback(event, event_id=event_id),
    )


async def publish(settings: KafkaSettings, events: list[tuple[dict[str, Any], str]]) -> None:
    instruments = Instruments(SystemClock(), NoEmitter(), NoOpTracer())
    async with Producer(settings, "ingress", instruments) as producer:
        for number, (event, event_id) in enumerate(events):
            key = f"connection {number % 7}"  # so that every partition has some
            await producer.publish(SLACK_INBOUND, key, envelope(event, event_id), f"id-{number}")


@pytest.fixture
async def shadow(kafka_settings: KafkaSettings) -> AsyncIterator[KafkaSettings]:
    """The topics of a Threadline that only observes; `kafka_settings` is what the command is told."""
    settings = kafka_settings.model_copy(update={"topic_prefix": f"{SHADOW}{kafka_settings.topic_prefix}"})
    async with admin.admin_client(settings) as client:
        declared = admin.declared_on(await admin.cluster_of(client, settings))
        await admin.create(client, declared)
        yield settings
        await client.delete_topics([each.name for each in declared])


@dataclass(frozen=True)
class Answer:
    code: int
    output: str
    errors: str

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.output)
        return found


async def compared(settings: KafkaSettings, *arguments: object) -> Answer:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "ingress", "compare", *map(str, arguments)),
        env=child_environment({**as_environment(settings), "COLUMNS": "200"}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, errors = await program.communicate()
    assert program.returncode is not None
    assert "Traceback" not in errors.decode()
    assert TEXT not in output.decode() + errors.decode()
    return Answer(program.returncode, output.decode(), errors.decode())


def log_of(path: Path, *lines: Any) -> Path:
    file = path / "bridge.jsonl"
    file.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in lines))
    return file


def named(*numbers: int) -> list[dict[str, str]]:
    return [{"channel": "C1", "ts": ts(number)} for number in numbers]


async def test_two_sides_that_have_the_same_differ_in_nothing(
    kafka_settings: KafkaSettings, shadow: KafkaSettings, tmp_path: Path
) -> None:
    await publish(shadow, [(message(number), f"Ev{number}") for number in range(100)])
    answer = await compared(kafka_settings, log_of(tmp_path, *map(message, range(100))))
    assert answer.code == 0
    assert [line.split() for line in answer.output.splitlines()[2:]] == [
        ["both", "100"],
        ["only", "ours", "0"],
        ["only", "theirs", "0"],
        ["doubled", "ours", "0"],
        ["doubled", "theirs", "0"],
        ["repeated", "0"],
        ["unreadable", "0"],
    ]


async def test_every_kind_of_difference_is_told(
    kafka_settings: KafkaSettings, shadow: KafkaSettings, tmp_path: Path
) -> None:
    await publish(
        shadow,
        [
            (message(1), "Ev1"),
            (message(1, type="app_mention"), "Ev1b"),
            (message(2), "Ev2"),
            (message(2), "Ev2"),
            (message(3), "Ev3"),
            (message(3), "Ev3b"),
            (message(4), "Ev4"),
            (message(2, subtype="message_changed"), "Ev5"),
            (message(900), "Ev900"),
        ],
    )
    async with AIOKafkaProducer(bootstrap_servers=shadow.kafka_brokers) as producer:
        await producer.send_and_wait(f"{shadow.topic_prefix}{SLACK_INBOUND.name}", TEXT.encode(), partition=0)
    lines = [
        event_callback(message(1)),
        {"channel": {"id": "C1"}, "message_ts": ts(2)},
        TEXT,
        "",
        event_callback(message(3), event_id="Ev8"),
        event_callback(message(3), event_id="Ev8"),
        message(5),
        message(6, subtype="message_deleted"),
        {"text": TEXT},
    ]
    file = log_of(tmp_path, *lines)
    answer = await compared(kafka_settings, file, "--json")
    found = answer.json()
    ours = found.pop("unreadable_ours")
    assert answer.code == 1
    assert len(ours) == 1
    assert ours[0].startswith("partition 0, offset ")
    assert {name: found[name] for name in found if name not in {"since", "until"}} == {
        "both": 3,
        "only_ours": named(4),
        "only_theirs": named(5),
        "doubled_ours": named(3),
        "doubled_theirs": named(3),
        "repeated": 1,
        "unreadable_theirs": ["line 3", "line 9"],
    }
    answer = await compared(kafka_settings, file)
    assert answer.code == 1
    for kind, number in {"only ours": 4, "only theirs": 5, "doubled ours": 3, "doubled theirs": 3}.items():
        assert f"\n{kind}\n  C1 {ts(number)} (" in answer.output
    assert "\n  line 3\n  line 9\n" in answer.output


async def test_a_stretch_can_be_named_and_a_long_list_is_cut(
    kafka_settings: KafkaSettings, shadow: KafkaSettings, tmp_path: Path
) -> None:
    await publish(shadow, [(message(number), f"Ev{number}") for number in range(0, 300, 2)])
    since, until = (str(Message("C1", ts(number)).at) for number in (0, 160))
    file = log_of(tmp_path, message(0))
    answer = await compared(kafka_settings, file, "--since", since, "--until", until)
    assert answer.code == 1
    assert ["only", "ours", "80"] in [line.split() for line in answer.output.splitlines()]
    assert answer.output.count("\n  C1 ") == 50
    assert "and 30 more; --json has all" in answer.output
    answer = await compared(kafka_settings, file, "--since", since, "--until", until, "--json")
    assert answer.json()["only_ours"] == named(*range(2, 161, 2))
    answer = await compared(kafka_settings, file)
    assert "only ours" in answer.output
    assert ["only", "ours", "30"] in [line.split() for line in answer.output.splitlines()], "a minute after its last"


async def test_what_is_taken_in_for_good_is_read_here_and_under_another_prefix(
    topics: KafkaSettings, tmp_path: Path
) -> None:
    await publish(topics, [(message(1), "Ev1")])
    file = log_of(tmp_path, message(1))
    assert (await compared(topics, file, "--here")).code == 0
    elsewhere = topics.model_copy(update={"topic_prefix": ""})
    assert (await compared(elsewhere, file, "--here", "--topic-prefix", topics.topic_prefix)).code == 0
    answer = await compared(topics, file)
    assert answer.code == 1
    assert f"there is no topic shadow.{topics.topic_prefix}slack.inbound" in " ".join(answer.errors.split())


@pytest.mark.parametrize(
    ("lines", "options", "says"),
    [
        (None, (), "No such file or directory"),
        ([], (), "0 of its lines could not be read"),
        ([TEXT, TEXT], ("--since", "2026-03-02"), "2 of its lines could not be read, beginning with line 1"),
        ([message(1)], ("--since", "soon"), "nothing was read"),
        ([message(1)], ("--since", "2999-01-01"), "nothing was compared"),
    ],
)
async def test_what_cannot_be_compared_is_told(
    kafka_settings: KafkaSettings, tmp_path: Path, lines: list[Any] | None, options: tuple[str, ...], says: str
) -> None:
    file = tmp_path / "nowhere" if lines is None else log_of(tmp_path, *lines)
    answer = await compared(kafka_settings, file, *options)
    assert answer.code == 1
    assert says in " ".join(answer.errors.split())


async def test_a_log_that_is_no_text_is_read_for_what_it_is(
    kafka_settings: KafkaSettings, shadow: KafkaSettings, tmp_path: Path
) -> None:
    await publish(shadow, [(message(1), "Ev1")])
    file = tmp_path / "bridge.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(message(1)).encode() + b"\r\n\x00\xff\xfe\xed{\r\n\xff")
    answer = await compared(kafka_settings, file, "--json")
    assert answer.code == 0
    assert answer.json()["both"] == 1
    assert answer.json()["unreadable_theirs"] == ["line 2", "line 3"]


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
async def test_a_broker_that_stops_answering_is_a_fault_and_no_hang(
    fragile: OwnBroker, fragile_topics: KafkaSettings, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    class Interrupting(Stretch):
        """Its first message is the last one that the broker gives."""

        @override
        def holds(self, sighting: Sighting) -> bool:
            assert fragile.child is not None
            fragile.child.send(number)
            return super().holds(sighting)

    monkeypatch.setattr(comparison, "SILENT_S", 2.0)
    await publish(fragile_topics, [(message(number, text="x" * 100_000), f"Ev{number}") for number in range(60)])
    since, until = Message("C1", ts(0)).at, Message("C1", ts(900)).at
    assert len((await our_side(fragile_topics, Stretch(since, until))).sightings) == 60
    with pytest.raises(NotCompared, match="nothing was compared"):
        async with asyncio.timeout(60):
            await our_side(fragile_topics, Interrupting(since, until))
    if number == signal.SIGKILL:
        await fragile.kill()


async def test_a_broker_that_is_not_there_is_named(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    nowhere = kafka_settings.model_copy(update={"kafka_brokers": "127.0.0.1:9"})
    answer = await compared(nowhere, log_of(tmp_path, message(1)))
    assert answer.code == 1
    assert "127.0.0.1:9 stopped answering, or never did" in " ".join(answer.errors.split())
