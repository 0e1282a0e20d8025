"""The envelope of every record on a topic: CloudEvents 1.0 attributes in Kafka headers (binary mode), and the trace."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

Headers = tuple[tuple[str, bytes], ...]

CONTENT_TYPE = "application/json"
SPEC_VERSION = "1.0"


class AttributesMissing(ValueError):
    """A record without the headers that every record must have."""


@dataclass(frozen=True)
class Attributes:
    """What a record is, without opening it."""

    id: str
    """The record's id. A repeat has the same."""
    type: str
    """The type of the event in it, such as run.state."""
    source: str
    """The service that wrote it, such as /threadline/router."""
    time: datetime
    """When the event happened. The broker's own timestamp says when it was appended."""
    traceparent: str | None = None
    tracestate: str | None = None

    def to_headers(self) -> Headers:
        """The Kafka headers of a record with these attributes."""
        headers = [
            ("ce_specversion", SPEC_VERSION),
            ("ce_id", self.id),
            ("ce_type", self.type),
            ("ce_source", self.source),
            ("ce_time", _format(self.time)),
            ("content-type", CONTENT_TYPE),
        ]
        if self.traceparent:
            headers.append(("traceparent", self.traceparent))
        if self.tracestate:
            headers.append(("tracestate", self.tracestate))
        return tuple((name, value.encode()) for name, value in headers)

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes | None]]) -> "Attributes":
        """The attributes that a record's headers hold; unknown headers are ignored."""
        found = {name.lower(): value.decode("utf-8", "replace") for name, value in headers if value is not None}
        if not (found.get("ce_id") and found.get("ce_type") and found.get("ce_source") and found.get("ce_time")):
            missing = [name for name in ("ce_id", "ce_type", "ce_source", "ce_time") if not found.get(name)]
            raise AttributesMissing(f"the record has no header {', '.join(missing)}")
        if found.get("ce_specversion", SPEC_VERSION) != SPEC_VERSION:
            raise AttributesMissing(f"CloudEvents {found['ce_specversion']} is not understood, only {SPEC_VERSION}")
        time = _parse(found["ce_time"])
        return cls(
            id=found["ce_id"],
            type=found["ce_type"],
            source=found["ce_source"],
            time=time,
            traceparent=found.get("traceparent"),
            tracestate=found.get("tracestate"),
        )


def _format(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parse(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        in_utc = time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise AttributesMissing("the header ce_time holds no time") from error
    if time.tzinfo is None:
        raise AttributesMissing("the header ce_time holds a time without a zone")
    return in_utc
