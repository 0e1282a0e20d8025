"""Reads the inbound stream along, through outages of the broker, and hands it to local programs as lines of JSON."""

import asyncio
import errno
import fcntl
import logging
import os
import select
import socket
import stat
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from pydantic_core import to_json

from schemas.record import CannotRead, UnknownEvent
from schemas.topics import SLACK_INBOUND
from services.ingress.adapters.comparison import is_cancelled, letting_go
from services.kit.clock import Clock
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import Record, reader, record_of

log = logging.getLogger(__name__)

IDLE_S, ANSWER_WITHIN_S, PAUSE_S = 2.0, 5.0, 1.0
"""After so long without a record the broker is asked whether it is there: the client alone would wait in silence."""

WAITING_LINES = 1000
"""So many may wait for a client of the socket that reads slowly."""
WAITING_BYTES = 16 << 20
"""And so much, since a line can be a megabyte."""
LAST_WORD_S = 2.0
"""How long a client has to take what is its last line."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOO_SLOW = f"too slow: {WAITING_LINES} lines or {WAITING_BYTES >> 20} MiB waited, and they are thrown away"


class NotServed(Fault):
    """The socket cannot be where it was asked for."""


class LostPlace(Exception):
    """The client was put back to an earlier place, as it is when a broker that starts does not know its topics yet."""


def line_of(record: Record) -> bytes:
    """A record as a line. One that cannot be read is a line, too, and says why."""
    where = {
        "partition": record.partition,
        "offset": record.offset,
        "appended_at": _instant(record.appended_ms),
        "key": record.key.decode("utf-8", "backslashreplace") if record.key is not None else None,
    }
    try:
        attributes, event = record.decode()
    except CannotRead as error:
        return _json({**where, "unreadable": str(error)})
    if isinstance(event, UnknownEvent):
        return _json({**where, "unreadable": f"this version knows no type {event.type}"})
    return _json({**where, "id": attributes.id, "type": attributes.type, "event": event})


def _json(facts: dict[str, object]) -> bytes:
    return to_json(facts, inf_nan_mode="null") + b"\n"


def _instant(milliseconds: int) -> str | None:
    try:
        moment = EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Tail:
    """The inbound stream from a moment, or from now, on. No outage of the broker loses or repeats a line."""

    def __init__(self, settings: KafkaSettings, since: datetime | None, clock: Clock) -> None:
        self._settings, self._since, self._begun = settings, since, clock.now()
        self._topic = f"{settings.topic_prefix}{SLACK_INBOUND.name}"
        self._next: dict[int, int] = {}
        self._is_away = False

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """One for each record, without an end. Those of a partition, and so of a connection, are in its order."""
        while True:
            try:
                async with reader(self._settings, SLACK_INBOUND, self._since) as consumer, letting_go(consumer):
                    await self._go_on(consumer)
                    while True:
                        for record in await self._read(consumer):
                            self._place(record)
                            yield line_of(record)
            except (KafkaError, OSError, LostPlace, asyncio.CancelledError) as error:
                if is_cancelled():
                    raise
                self._away(error)
            await asyncio.sleep(PAUSE_S)

    async def _go_on(self, consumer: AIOKafkaConsumer) -> None:
        partitions = sorted(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        if not self._next:
            begins = ends if self._since is None else {each: await consumer.position(each) for each in partitions}
            self._next = {each.partition: begins[each] for each in partitions}
            since = self._since.isoformat(timespec="seconds") if self._since else "now"
            log.info("reads %s at %s, from %s on", self._topic, self._settings.kafka_brokers, since)
        for each in partitions:
            if self._next.setdefault(each.partition, 0) > ends[each]:
                log.warning("partition %d of %s is shorter than it was: it was made anew", each.partition, self._topic)
                self._next[each.partition] = 0
            consumer.seek(each, self._next[each.partition])
        if self._is_away:
            self._is_away = False
            log.info("%s answers again", self._settings.kafka_brokers)

    async def _read(self, consumer: AIOKafkaConsumer) -> list[Record]:
        """What is there next; nothing where the broker answers, and has nothing."""
        found = await consumer.getmany(timeout_ms=int(IDLE_S * 1000))
        if not found:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await consumer.end_offsets(sorted(consumer.assignment()))
        return [record_of(raw, self._settings.topic_prefix) for batch in found.values() for raw in batch]

    def _place(self, record: Record) -> None:
        expected = self._next.get(record.partition, 0)
        if record.offset < expected:
            raise LostPlace(f"partition {record.partition}: offset {record.offset} came after {expected - 1}")
        if record.offset > expected:
            log.warning("partition %d: the offsets %d to %d are gone", record.partition, expected, record.offset - 1)
        self._next[record.partition] = record.offset + 1

    def _away(self, error: BaseException) -> None:
        if not self._next and self._since is None:
            self._since = self._begun  # what comes in while we look for the broker belongs to what was asked for
        if not self._is_away:
            self._is_away = True
            what = f"no broker answers at {self._settings.kafka_brokers} ({type(error).__name__})"
            log.warning("%s; it is tried again, and no line is lost or repeated", what)


class _Client:
    """One program at the socket, and the lines that wait for it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._more = asyncio.Event()
        self._ends = False
        writer.transport.set_write_buffer_limits(high=0)  # `drain` returns when the system has everything

    def give(self, line: bytes) -> None:
        """Lets a line wait for it; where too much waits already, it gets a last word and is disconnected."""
        if self._ends:
            return
        if len(self._waiting) < WAITING_LINES and self._size + len(line) <= WAITING_BYTES:
            self._waiting.append(line)
            self._size += len(line)
            self._more.set()
            return
        log.warning("a client reads too slowly: %d lines waited for it; it is disconnected", len(self._waiting))
        self._waiting.clear()
        self._waiting.append(_json({"closed": TOO_SLOW}))
        self.end()

    def end(self) -> None:
        """Nothing comes any more, and what waits must be taken soon."""
        self._ends = True
        self._more.set()
        asyncio.get_running_loop().call_later(LAST_WORD_S, self._writer.transport.abort)

    async def send(self) -> None:
        """Sends what waits, as fast as it is read."""
        while self._waiting or not self._ends:
            while self._waiting:
                line = self._waiting.popleft()
                self._size -= len(line)
                self._writer.write(line)
                await self._writer.drain()
            self._more.clear()
            if not self._ends:
                await self._more.wait()


class Listeners:
    """The programs at the socket. Each gets every line from its connecting on, and none holds up the others."""

    def __init__(self) -> None:
        self._clients: dict[_Client, asyncio.Task[None]] = {}
        self.first = asyncio.Event()
        """Set as soon as somebody listens."""

    async def give(self, line: bytes) -> None:
        """To everybody who listens."""
        for client in self._clients:
            client.give(line)
        await asyncio.sleep(0)  # a long stretch that is read at once must not look like slow clients

    async def finish(self) -> None:
        """Lets everybody have what waits for them."""
        for client in self._clients:
            client.end()
        await asyncio.gather(*self._clients.values(), return_exceptions=True)

    async def serve(self, said: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        client = _Client(writer)
        sending = self._clients[client] = asyncio.create_task(client.send())
        leaving = asyncio.create_task(_until_gone(said, writer))
        self.first.set()
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._clients[client]
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            writer.close()


async def _until_gone(said: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What a client says is thrown away. One that only says that it has nothing to say listens on."""
    while await said.read(4096):
        pass
    looking = select.poll()
    looking.register(writer.get_extra_info("socket").fileno(), 0)
    if not looking.poll(0):
        await asyncio.Event().wait()


@asynccontextmanager
async def listening(path: Path) -> AsyncIterator[Listeners]:
    """A Unix socket for this user alone. Its file goes when we leave."""
    listeners = Listeners()
    bound, mark = _bound(path)
    server = await asyncio.start_unix_server(listeners.serve, sock=bound)
    try:
        yield listeners
    finally:
        server.close()
        _remove(path, mark)
        await listeners.finish()


def _remove(path: Path, mark: int) -> None:
    if path.exists() and path.lstat().st_ino == mark:
        path.unlink()


def _bound(path: Path) -> tuple[socket.socket, int]:
    """A socket that listens there, and the mark of its file."""
    try:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)  # two that start at once must not both take a dead one's place
            _make_room(path)
            return _made(path), path.lstat().st_ino
        finally:
            os.close(folder)
    except OSError as error:
        what = f"cannot serve at {path}: {error.strerror or error}; nothing was changed"
        raise NotServed(f"{what}. --socket names a file in a folder of yours, in at most 100 characters") from None


def _made(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        made.bind(str(path))
        made.listen()
    except OSError:
        made.close()
        raise
    finally:
        os.umask(mask)
    return made


def _make_room(path: Path) -> None:
    """Removes what a dead process left behind."""
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise NotServed(f"{path} is there and is no socket; it was left as it is. Remove it, or name another --socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(0)
        if asking.connect_ex(str(path)) == errno.ECONNREFUSED:
            path.unlink()
            return
    raise NotServed(f"another process serves at {path}, and was left alone; stop it, or name another --socket")
