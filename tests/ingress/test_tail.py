"""`threadline ingress tail`, as programs read it: whole lines, each once, whatever happens to the broker or to them."""

import asyncio
import json
import os
import re
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaProducer
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import NoOpTracer
from typing_extensions import override

from bench.beds.broker import OwnBroker
from schemas.envelope import Received, SlackEnvelope
from schemas.topics import SLACK_INBOUND
from services.ingress.adapters import listeners
from services.ingress.adapters.listeners import WAITING_LINES
from services.ingress.adapters.tail import line_of
from services.ingress.settings import SHADOW
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin
from services.kit.kafka.consumer import Record
from services.kit.kafka.producer import Producer
from services.kit.settings import as_environment, child_environment
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from tests.samples import AT, event_callback
from threadline.moments import moment_of

SOON_S = 30.0
READS = "reads "


def envelope(number: int, padding: int = 0) -> SlackEnvelope:
    message = {"type": "message", "channel": "C1", "ts": f"{number}.000100", "text": "näher\u2028" + "x" * padding}
    return SlackEnvelope(
        at=AT,
        kind="events_api",
        connection="A1:T1",
        event_id=f"A1:Ev{number}",
        received=Received(transport="socket", received_at=AT, ingress="test"),
        payload=event_callback(message, event_id=f"Ev{number}"),
    )


async def publish(settings: KafkaSettings, numbers: range, padding: int = 0) -> None:
    instruments = Instruments(SystemClock(), NoEmitter(), NoOpTracer())
    async with asyncio.timeout(SOON_S), Producer(settings, "ingress", instruments) as producer:
        sent = [
            await producer.send(SLACK_INBOUND, "A1:T1", envelope(number, padding), f"id-{number}") for number in numbers
        ]
        await asyncio.gather(*sent)


class Tailing:
    """The command in a process of its own."""

    def __init__(self, program: asyncio.subprocess.Process) -> None:
        self.program = program
        self.said = ""

    async def hears(self, words: str, within_s: float = SOON_S) -> None:
        """Waits until it says so on standard error."""
        assert self.program.stderr is not None
        async with asyncio.timeout(within_s):
            while words not in self.said:
                line = (await self.program.stderr.readline()).decode()
                assert line, f"{words!r} was never said: {self.said}"
                self.said += line

    async def lines(self, count: int) -> list[dict[str, Any]]:
        assert self.program.stdout is not None
        async with asyncio.timeout(SOON_S):
            return [json.loads(await self.program.stdout.readline()) for _ in range(count)]

    async def leaves(self) -> int:
        """Its exit code. What it says until then is kept."""
        assert self.program.stderr is not None
        async with asyncio.timeout(SOON_S):
            self.said += (await self.program.stderr.read()).decode()
            return await self.program.wait()


@asynccontextmanager
async def tailing(
    settings: KafkaSettings, *options: str, stdout: int = asyncio.subprocess.PIPE, begins: str | None = READS
) -> AsyncIterator[Tailing]:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "ingress", "tail", *options),
        env=child_environment(as_environment(settings)),
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    tail = Tailing(program)
    try:
        if begins is not None:
            await tail.hears(begins)
        yield tail
    finally:
        if program.returncode is None:
            program.kill()
        await program.communicate()


def numbers_of(lines: list[dict[str, Any]]) -> list[int]:
    return [int(line["id"].removeprefix("id-")) for line in lines]


async def test_what_comes_in_from_now_on_is_a_line_with_where_it_stands(topics: KafkaSettings) -> None:
    await publish(topics, range(2))
    async with tailing(topics, "--jsonl", "--count", "3") as tail:
        before = SystemClock().now()
        await publish(topics, range(2, 5))
        lines = await tail.lines(3)
        assert await tail.leaves() == 0
    assert numbers_of(lines) == [2, 3, 4]
    assert [line["offset"] for line in lines] == [2, 3, 4]
    assert {line["key"] for line in lines} == {"A1:T1"}
    assert SlackEnvelope.model_validate_json(json.dumps(lines[0]["event"])) == envelope(2)
    assert set(lines[0]) == {"partition", "offset", "appended_at", "key", "id", "type", "event"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", lines[0]["appended_at"])
    assert abs(datetime.fromisoformat(lines[0]["appended_at"]) - before) < timedelta(minutes=1)


@pytest.mark.parametrize("since", ["10m", "1h30m", "time"])
async def test_it_can_begin_in_the_past(topics: KafkaSettings, since: str, tmp_path: Path) -> None:
    if since == "time":
        await publish(topics, range(2))
        await asyncio.sleep(0.05)
        since = SystemClock().now().isoformat()
        await asyncio.sleep(0.05)
        await publish(topics, range(2, 5))
    else:
        await publish(topics, range(2, 5))
    with (tmp_path / "lines").open("wb") as file:
        async with tailing(topics, "--since", since, "--count", "3", stdout=file.fileno()) as tail:
            assert await tail.leaves() == 0
    assert numbers_of([json.loads(line) for line in (tmp_path / "lines").read_bytes().splitlines()]) == [2, 3, 4]


async def test_what_cannot_be_read_is_a_line_that_says_why(topics: KafkaSettings) -> None:
    headers = [("ce_id", b"1"), ("ce_source", b"/x"), ("ce_time", b"2026-03-02T09:15:00Z")]
    envelope_of, newer = [*headers, ("ce_type", b"slack.envelope")], [*headers, ("ce_type", b"slack.envelope.v2")]
    async with tailing(topics, "--count", "4") as tail:
        async with AIOKafkaProducer(bootstrap_servers=topics.kafka_brokers) as producer:
            name = f"{topics.topic_prefix}{SLACK_INBOUND.name}"
            await producer.send_and_wait(name, b"rubbish", b"\xff", partition=0)
            await producer.send_and_wait(name, b'{"text": "secret"}', None, partition=0, headers=envelope_of)
            await producer.send_and_wait(name, b"{}", b"k", partition=0, headers=newer)
            await producer.send_and_wait(name, None, b"k", partition=0, headers=envelope_of)
        lines = await tail.lines(4)
        assert await tail.leaves() == 0
    assert {tuple(line) for line in lines} == {("partition", "offset", "appended_at", "key", "unreadable")}
    assert [line["key"] for line in lines] == ["\\xff", None, "k", "k"]
    reasons = [line["unreadable"] for line in lines]
    assert reasons[0] == "the record has no header ce_id, ce_type, ce_source, ce_time"
    assert reasons[1].startswith("not a SlackEnvelope: at: missing")
    assert "secret" not in reasons[1]
    assert reasons[2:] == ["this version knows no type slack.envelope.v2", "the record has no value"]


async def test_what_is_only_observed_is_read_where_it_is_published(kafka_settings: KafkaSettings) -> None:
    shadow = kafka_settings.model_copy(update={"topic_prefix": f"{SHADOW}{kafka_settings.topic_prefix}"})
    async with admin.admin_client(shadow) as client:
        await admin.create(client, (await admin.standing_of(client, shadow)).missing)
    async with tailing(kafka_settings, "--observe", "--count", "1") as tail:
        await publish(shadow, range(1))
        assert numbers_of(await tail.lines(1)) == [0]


async def test_a_topic_that_was_never_made_is_named(kafka_settings: KafkaSettings) -> None:
    async with tailing(kafka_settings, begins=None) as tail:
        assert await tail.leaves() == 1
    assert "`threadline topics apply` makes it" in tail.said
    assert "Traceback" not in tail.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_in_order(topics: KafkaSettings, number: signal.Signals) -> None:
    async with tailing(topics) as tail:
        tail.program.send_signal(number)
        assert await tail.leaves() == 0
    assert len(tail.said.splitlines()) == 1


async def test_a_signal_is_heard_while_nobody_reads_a_full_pipe(topics: KafkaSettings) -> None:
    reading, writing = os.pipe()
    try:
        async with tailing(topics, stdout=writing) as tail:
            await publish(topics, range(100), padding=5000)
            await asyncio.sleep(1)
            tail.program.send_signal(signal.SIGINT)
            assert await tail.leaves() == 0
    finally:
        os.close(writing)
        os.close(reading)


async def test_a_pipe_that_nobody_reads_any_more_ends_it_even_while_nothing_comes(topics: KafkaSettings) -> None:
    reading, writing = os.pipe()
    async with tailing(topics, stdout=writing) as tail:
        os.close(writing)
        os.close(reading)
        assert await tail.leaves() == 0
    assert len(tail.said.splitlines()) == 1


async def test_a_closed_output_ends_it_quietly(topics: KafkaSettings) -> None:
    here, there = socket.socketpair()  # only writing shows that nobody reads a socket
    async with tailing(topics, stdout=there.fileno()) as tail:
        there.close()
        here.close()
        await publish(topics, range(3))
        assert await tail.leaves() == 0
    assert len(tail.said.splitlines()) == 1


async def test_an_output_that_takes_nothing_more_is_told(topics: KafkaSettings) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    async with tailing(topics, stdout=full) as tail:
        os.close(full)
        await publish(topics, range(1))
        assert await tail.leaves() == 1
    assert "No space left on device" in tail.said
    assert "Traceback" not in tail.said


@pytest.mark.parametrize("how", ["killed", "held up"])
async def test_an_outage_is_told_once_and_no_line_is_lost_or_repeated(
    fragile: OwnBroker, fragile_topics: KafkaSettings, how: str
) -> None:
    async with tailing(fragile_topics) as tail:
        await publish(fragile_topics, range(5))
        assert numbers_of(await tail.lines(5)) == [0, 1, 2, 3, 4]
        if how == "killed":
            await fragile.kill()
            await tail.hears("no broker answers")
            await asyncio.sleep(3)
            await fragile.start()
        else:
            fragile.hold_up()
            await tail.hears("no broker answers")
            fragile.let_go()
        await publish(fragile_topics, range(5, 10))
        assert numbers_of(await tail.lines(5)) == [5, 6, 7, 8, 9]
        await tail.hears("answers again")
        tail.program.send_signal(signal.SIGTERM)
        assert await tail.leaves() == 0
    assert tail.said.count("no broker answers") == 1


async def test_what_comes_in_before_it_finds_the_broker_is_not_missed(
    fragile: OwnBroker, fragile_topics: KafkaSettings
) -> None:
    await publish(fragile_topics, range(3))
    fragile.hold_up()
    async with tailing(fragile_topics, begins=None) as tail:
        await asyncio.sleep(5)
        await fragile.kill()
        await tail.hears("no broker answers")
        await fragile.start()
        await publish(fragile_topics, range(3, 6))
        assert numbers_of(await tail.lines(3)) == [3, 4, 5]


class Listening:
    """A program at the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def lines(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(SOON_S):
            return [json.loads(await self.reader.readline()) for _ in range(count)]

    async def rest(self) -> list[bytes]:
        """What else comes, up to the end."""
        async with asyncio.timeout(SOON_S):
            return (await self.reader.read()).splitlines(keepends=True)


@asynccontextmanager
async def listening(path: Path) -> AsyncIterator[Listening]:
    reader, writer = await asyncio.open_unix_connection(path, limit=1 << 16)
    await asyncio.sleep(0.3)  # until it is accepted
    try:
        yield Listening(reader, writer)
    finally:
        writer.close()


async def test_programs_at_the_socket_get_every_line_from_their_connecting_on(
    topics: KafkaSettings, tmp_path: Path
) -> None:
    path = tmp_path / "inbound.sock"
    async with tailing(topics, "--socket", str(path)) as tail:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        async with listening(path) as one:
            one.writer.write(b"nobody listens to this\n" * 1000)
            one.writer.write_eof()  # as `nc -U path < /dev/null` does
            await publish(topics, range(2))
            assert numbers_of(await one.lines(2)) == [0, 1]
            async with listening(path) as other:
                await publish(topics, range(2, 4))
                assert numbers_of(await one.lines(2)) == [2, 3]
                assert numbers_of(await other.lines(2)) == [2, 3]
            await publish(topics, range(4, 5))
            assert numbers_of(await one.lines(1)) == [4]
            tail.program.send_signal(signal.SIGTERM)
            assert await one.rest() == []
        assert await tail.leaves() == 0
    assert not path.exists()
    assert len(tail.said.splitlines()) == 1


async def test_those_who_leave_free_what_they_held(topics: KafkaSettings, tmp_path: Path) -> None:
    path = tmp_path / "inbound.sock"
    async with tailing(topics, "--socket", str(path)) as tail:
        process = psutil.Process(tail.program.pid)
        before = process.num_fds()
        for _ in range(20):
            with closing(socket.socket(socket.AF_UNIX)) as client:
                client.connect(str(path))
        async with asyncio.timeout(SOON_S):
            while process.num_fds() > before:  # noqa: ASYNC110 - another process has no event to wait for
                await asyncio.sleep(0.05)


async def test_with_a_past_moment_the_first_program_gets_what_was_since(topics: KafkaSettings, tmp_path: Path) -> None:
    path = tmp_path / "inbound.sock"
    await publish(topics, range(3))
    async with tailing(topics, "--socket", str(path), "--since", "10m", "--count", "3", begins=None) as tail:
        async with asyncio.timeout(SOON_S):
            while not path.exists():  # noqa: ASYNC110 - another process has no event to wait for
                await asyncio.sleep(0.05)
        async with listening(path) as one:
            assert numbers_of(await one.lines(3)) == [0, 1, 2]
            assert await one.rest() == []
        assert await tail.leaves() == 0


@pytest.mark.parametrize("reads", [True, False])
async def test_one_that_reads_too_slowly_is_told_so_and_holds_up_nobody(
    topics: KafkaSettings, tmp_path: Path, *, reads: bool
) -> None:
    path, count = tmp_path / "inbound.sock", 4 * WAITING_LINES
    stretch = WAITING_LINES // 4  # so many wait for the fast one at most, however slowly this process gets to read
    async with tailing(topics, "--socket", str(path)) as tail:
        async with listening(path) as slow, listening(path) as fast:

            async def keeping_up() -> list[dict[str, Any]]:
                lines = []
                for begin in range(0, count, stretch):
                    await publish(topics, range(begin, begin + stretch), padding=500)
                    lines += await fast.lines(stretch)
                return lines

            async def too_late() -> list[bytes]:
                await tail.hears("a client reads too slowly")
                if not reads:
                    await asyncio.sleep(3)
                return await slow.rest()

            getting, got = await asyncio.gather(keeping_up(), too_late())
            assert numbers_of(getting) == list(range(count))
            await publish(topics, range(count, count + 1))
            assert numbers_of(await fast.lines(1)) == [count]
        tail.program.send_signal(signal.SIGTERM)
        assert await tail.leaves() == 0
    whole = [json.loads(line) for line in got if line.endswith(b"\n")]
    if reads:
        assert whole.pop()["closed"].startswith("too slow")
    assert numbers_of(whole) == list(range(len(whole)))
    assert 0 < len(whole) < count
    assert tail.said.count("too slowly") == 1
    assert "xxx" not in tail.said


async def test_the_socket_of_a_dead_process_is_replaced(topics: KafkaSettings, tmp_path: Path) -> None:
    path = tmp_path / "inbound.sock"
    async with tailing(topics, "--socket", str(path)) as dead:
        dead.program.kill()
        await dead.leaves()
    assert path.exists()
    async with tailing(topics, "--socket", str(path)), listening(path) as one:
        await publish(topics, range(1))
        assert numbers_of(await one.lines(1)) == [0]


async def test_a_socket_has_its_name_when_it_listens_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script waits for the name, and connects."""
    path, named = tmp_path / "inbound.sock", []

    class Watched(socket.socket):
        @override
        def listen(self, *backlog: int) -> None:
            named.append(path.exists())
            super().listen(*backlog)

    with socket.socket(socket.AF_UNIX) as left:  # by one that was killed at this moment
        left.bind(str(tmp_path / "inbound.sock.new"))
    monkeypatch.setattr("services.ingress.adapters.listeners.socket.socket", Watched)
    async with listeners.listening(path):
        assert not named[0]
        with closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(str(path))
    assert list(path.parent.iterdir()) == []


async def test_a_socket_that_is_in_use_is_left_alone(topics: KafkaSettings, tmp_path: Path) -> None:
    path = tmp_path / "inbound.sock"
    async with tailing(topics, "--socket", str(path)), listening(path) as one:
        async with tailing(topics, "--socket", str(path), begins=None) as second:
            assert await second.leaves() == 1
        assert "another process serves at" in second.said
        await publish(topics, range(1))
        assert numbers_of(await one.lines(1)) == [0]


@pytest.mark.parametrize(
    ("where", "says"),
    [("a-file", "is no socket"), ("no/folder", "No such file"), ("x" * 120, "AF_UNIX path too long")],
)
async def test_a_place_where_no_socket_can_be_is_named(
    topics: KafkaSettings, tmp_path: Path, where: str, says: str
) -> None:
    (tmp_path / "a-file").write_text("mine")
    async with tailing(topics, "--socket", str(tmp_path / where), begins=None) as tail:
        assert await tail.leaves() == 1
    assert says in " ".join(tail.said.split())
    assert "Traceback" not in tail.said
    assert (tmp_path / "a-file").read_text() == "mine"


NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("10m", NOW - timedelta(minutes=10)),
        ("1d2h3m4s", NOW - timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("0s", NOW),
        ("2026-03-02T09:00", NOW - timedelta(minutes=15)),
        ("2026-03-02T10:00:00+01:00", NOW - timedelta(minutes=15)),
        ("2026-03-02T09:00Z", NOW - timedelta(minutes=15)),
        ("0001-01-02", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_time_or_so_long_ago(text: str, moment: datetime) -> None:
    assert moment_of("--since", text, NOW) == moment


@pytest.mark.parametrize("text", ["", "10", "10x", "m", "-5m", "999999d", "yesterday", "0001-01-01T00:00+10:00"])
def test_what_is_neither_is_named(text: str) -> None:
    with pytest.raises(Fault, match="nothing was read"):
        moment_of("--since", text, NOW)


async def test_a_moment_to_come_is_refused(kafka_settings: KafkaSettings) -> None:
    async with tailing(kafka_settings, "--since", "2999-01-01", begins=None) as tail:
        assert await tail.leaves() == 1
    assert "is still to come" in tail.said


HEADERS = st.lists(st.tuples(st.sampled_from(["ce_id", "ce_type", "ce_source", "ce_time"]), st.binary() | st.none()))
SOUND = st.just(
    [("ce_id", b"1"), ("ce_source", b"/x"), ("ce_time", b"2026-03-02T09:15Z"), ("ce_type", b"slack.envelope")]
)
SOUND_VALUE = envelope(1).model_dump_json().encode()


@given(
    headers=HEADERS | SOUND,
    key=st.binary() | st.none(),
    value=st.binary() | st.none() | st.just(SOUND_VALUE) | st.just(SOUND_VALUE.replace(b"1772442900", b"NaN")),
    appended_ms=st.integers(-(1 << 63), (1 << 63) - 1),
)
def test_every_record_is_one_line_of_json(
    headers: list[tuple[str, bytes | None]], key: bytes | None, value: bytes | None, appended_ms: int
) -> None:
    line = line_of(Record(SLACK_INBOUND, 0, 1, key, value, tuple(headers), appended_ms))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    read = json.loads(line, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert ("event" in read) != ("unreadable" in read)
