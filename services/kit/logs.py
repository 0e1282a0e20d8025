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

from services.kit.groups import LogSettings
from services.kit.redaction import Redactor

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
        clean = {name: self.redact(value) if isinstance(value, str) else value for name, value in line.items()}
        return self.redact(json.dumps(clean, default=str, ensure_ascii=False))


class HumanFormatter(_Formatter):
    """A line for people."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={value}" for name, value in self.facts(record).items())
        line = f"{self.moment(record)[11:-1]} {record.levelname:<7} {record.name}: {record.getMessage()}{facts}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return self.redact(line)


def set_up(service: str, settings: LogSettings, secrets: Iterable[str] = (), stream: IO[str] | None = None) -> None:
    """Sends every logger of this process through one handler. The libraries' own chatter is left out."""
    formatter = JsonFormatter if settings.log_format == "json" else HumanFormatter
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(service, Redactor(secrets)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # aiokafka builds a debug record for every send, even where nobody wants it: 18 % of a worker's CPU.
    for chatty in ("aiokafka", "asyncio", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
