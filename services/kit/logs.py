"""Logs: one line an event, for people or for machines, with the run's names on it and no secret in it."""

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import IO

from opentelemetry import trace
from typing_extensions import override

from services.kit.clock import Clock, SystemClock
from services.kit.groups import LogSettings
from services.kit.redaction import Redactor

REPETITIVE = ("aiokafka", "aiohttp", "faust", "mode")
QUIET_S = 30.0

_bound: ContextVar[Mapping[str, str]] = ContextVar("_bound", default=MappingProxyType({}))

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def bound(**names: str) -> Iterator[None]:
    """Within it, every line carries these names, such as run_id and tenant_id."""
    token = _bound.set({**_bound.get(), **names})
    try:
        yield
    finally:
        _bound.reset(token)


class _Formatter(logging.Formatter):
    def __init__(self, service: str, redact: Redactor) -> None:
        super().__init__()
        self.service = service
        self.redact = redact

    def facts(self, record: logging.LogRecord) -> dict[str, object]:
        """What stands on a line beside its message: names from the context, then those of the call."""
        facts: dict[str, object] = dict(_bound.get())
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            facts["trace_id"] = f"{span.trace_id:032x}"
        facts |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        return facts

    def moment(self, record: logging.LogRecord) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JsonFormatter(_Formatter):
    """One JSON object a line."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": self.moment(record),
            "level": record.levelname.lower(),
            "service": self.service,
            "logger": record.name,
            "message": record.getMessage(),
            **self.facts(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(self.clean(line), default=lambda value: self.redact(str(value)), ensure_ascii=False)

    def clean(self, value: object) -> object:
        """A value without its secrets, however deep they stand. Done before JSON escapes them, or breaks at them."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {self.redact(str(name)): self.clean(part) for name, part in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(part) for part in value]
        return value


class HumanFormatter(_Formatter):
    """A line for people."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={value}" for name, value in self.facts(record).items())
        line = f"{self.moment(record)[11:-1]} {record.levelname:<7} {record.name}: {record.getMessage()}{facts}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return self.redact(line)


class Repeats(logging.Filter):
    """Lets a library say the same thing once in a while: a broker that is away is worth a line, not twenty a second."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(REPETITIVE):
            return True
        key, now = (record.name, str(record.msg)), self._clock.monotonic()
        last, held_back = self._said.get(key, (-QUIET_S, 0))
        if now - last < QUIET_S:
            self._said[key] = (last, held_back + 1)
            return False
        self._said[key] = (now, 0)
        if held_back:
            record.repeated = held_back
        return True


def set_up(service: str, settings: LogSettings, secrets: Iterable[str] = (), stream: IO[str] | None = None) -> None:
    """Sends every logger of this process through one handler. The libraries' own chatter is left out."""
    formatter = JsonFormatter if settings.log_format == "json" else HumanFormatter
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Repeats(SystemClock()))
    handler.setFormatter(formatter(service, Redactor(secrets)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # aiokafka builds a debug record for every send, even where nobody wants it: 18 % of a worker's CPU. Slack's clients
    # show whole payloads.
    for chatty in ("aiokafka", "asyncio", "aiohttp.access", "slack_sdk", "slack_bolt"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
