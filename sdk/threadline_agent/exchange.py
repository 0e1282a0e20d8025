"""One request to the supervisor and its answer, waiting in a thread or in an event loop."""

import contextlib
import io
import socket
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any, cast

from threadline_agent.address import Address
from threadline_agent.answer import Answer

if TYPE_CHECKING:
    import asyncio

MOST_BYTES = 2**20
"""Of an answer; none of ours has more."""
_CHUNK = 2**16


class Unreachable(Exception):
    """There was no answer."""


class Interrupted(Unreachable):
    """There was none, since another thread did not want to wait for it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of it."""

    method: str
    path: str
    token: str
    body: bytes | None = None

    def headers(self) -> dict[str, str]:
        """Those that every request has."""
        said = {"Authorization": f"Bearer {self.token}", "Accept": "application/json", "User-Agent": "threadline-agent"}
        return said if self.body is None else {**said, "Content-Type": "application/json"}

    def __repr__(self) -> str:
        return f"{self.method} {self.path}"


class Exchange:
    """A connection that stays open from request to request. One thread asks; another may interrupt it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: HTTPConnection | None = None
        self._interrupted = False

    def ask(self, request: Request, timeout: float) -> Answer:
        """Sends a request and waits for its answer."""
        was_open = self._connection is not None
        try:
            return self._ask(request, timeout)
        except Unreachable:
            if self._interrupted:
                self._interrupted = False
                raise Interrupted("it was interrupted") from None
            if not was_open:
                raise
            # It may have been closed for being idle. Everything that is sent can be sent again.
            return self._ask(request, timeout)

    def interrupt(self) -> None:
        """Ends the waiting for an answer, or the next one, from another thread."""
        self._interrupted = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):  # it is not connected any more, which is what is wanted
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Hangs up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ask(self, request: Request, timeout: float) -> Answer:
        try:
            connection = self._connection = self._connection or self._new()
            connection.timeout = timeout
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(timeout)
            if self._interrupted:
                raise Unreachable("it was interrupted")
            path = self._address.path + request.path
            connection.request(request.method, path, request.body, request.headers())
            response = connection.getresponse()
            answer = _answer_of(response)
            if response.will_close or len(answer.body) > MOST_BYTES:
                self.close()
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise Unreachable(_told(error)) from None
        return answer

    def _new(self) -> HTTPConnection:
        context = self._address.tls()
        if context is None:
            return HTTPConnection(self._address.host, self._address.port)
        return HTTPSConnection(self._address.host, self._address.port, context=context)


async def ask(address: Address, request: Request, timeout: float) -> Answer:  # noqa: ASYNC109 - it is one of a request
    """The same in an event loop, which goes on meanwhile: on a connection of its own."""
    import asyncio  # noqa: PLC0415 - whoever awaits this has imported it already; others never need it

    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(address.host, address.port, ssl=address.tls())
            try:
                return await _asked(address, request, reader, writer)
            finally:
                writer.transport.abort()
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(_told(error)) from None


async def _asked(
    address: Address, request: Request, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter"
) -> Answer:
    headers = {"Host": address.host_and_port, "Connection": "close", **request.headers()}
    if request.body is not None:
        headers["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {address.path}{request.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode("ascii") + (request.body or b""))
    raw = bytearray()
    while (part := await reader.read(_CHUNK)) and len(raw) <= MOST_BYTES:
        raw += part
    response = HTTPResponse(cast("Any", _Received(bytes(raw))))
    response.begin()
    return _answer_of(response)


class _Received:
    """What has come already, as `http.client` reads it from a socket."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, *_: object) -> io.BytesIO:
        """A file to read it from."""
        return io.BytesIO(self._raw)


def _answer_of(response: HTTPResponse) -> Answer:
    body = response.read(MOST_BYTES + 1)
    try:
        retry_after = float(response.headers.get("Retry-After", ""))
    except ValueError:
        retry_after = None
    return Answer(response.status, body, retry_after)


def _told(error: Exception) -> str:
    """In a few words for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"what it answers is no HTTP ({type(error).__name__})"
