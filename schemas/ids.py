"""Names that are computed, so that the same input has the same name in every process and in every replay."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

_RUN = UUID("5f2c7d64-0f3b-5c55-9a35-6b0a2d5c9b01")
_RECORD = UUID("5f2c7d64-0f3b-5c55-9a35-6b0a2d5c9b02")


def run_id(connection: str, cause: str) -> str:
    """The run that a cause leads to. One cause, one run."""
    return str(uuid5(_RUN, f"{connection}\n{cause}"))


def record_id(source_topic: str, source_partition: int, source_offset: int, index: int) -> str:
    """The `index`-th record that one source record led to.

    `source_topic` is the declared name, without a prefix, so that a replay under another prefix repeats the ids.
    """
    return str(uuid5(_RECORD, f"{source_topic}\n{source_partition}\n{source_offset}\n{index}"))


def thread_key(team_id: str, channel_id: str, thread_ts: str | None) -> str:
    """The partition key of everything that must stay in order within one thread, or at the top of one channel."""
    return f"{team_id}:{channel_id}:{thread_ts or ''}"


def payload_hash(payload: Mapping[str, Any]) -> str:
    """A name for a delivery that came without one: the same content has the same name."""
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
