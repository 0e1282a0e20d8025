"""Names that are computed, so that the same input has the same name in every process and in every replay."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

_RUN = UUID("5f2c7d64-0f3b-5c55-9a35-6b0a2d5c9b01")
_RECORD = UUID("5f2c7d64-0f3b-5c55-9a35-6b0a2d5c9b02")
_EFFECT = UUID("5f2c7d64-0f3b-5c55-9a35-6b0a2d5c9b03")
_OF_RUN = UUID("5f2c7d64-0f3b-5c55-9a35-6b0a2d5c9b04")
_MESSAGE = UUID("5f2c7d64-0f3b-5c55-9a35-6b0a2d5c9b05")
_APPROVAL = UUID("5f2c7d64-0f3b-5c55-9a35-6b0a2d5c9b06")
_OF_TASK = UUID("5f2c7d64-0f3b-5c55-9a35-6b0a2d5c9b07")


def run_id(connection: str, cause: str) -> str:
    """The run that a cause leads to. One cause, one run."""
    return _name_in(_RUN, f"{connection}\n{cause}")


def record_id(source_topic: str, source_partition: int, source_offset: int, index: int) -> str:
    """The `index`-th record that one source record led to.

    `source_topic` is the declared name, without a prefix, so that a replay under another prefix repeats the ids.
    """
    return _name_in(_RECORD, f"{source_topic}\n{source_partition}\n{source_offset}\n{index}")


def effect_id(subject: str, purpose: str, part: int) -> str:
    """One call that a run or another command leads to. Asked for again after a restart it has the same name."""
    return _name_in(_EFFECT, f"{subject}\n{purpose}\n{part}")


def run_record_id(run: str, what: str) -> str:
    """A record that is written once in the life of a run, whoever writes it."""
    return _name_in(_OF_RUN, f"{run}\n{what}")


def message_id(connection: str, request_key: str) -> str:
    """The command that a program's message becomes. One key, one command, however often it is asked for."""
    return _name_in(_MESSAGE, f"{connection}\n{request_key}")


def approval_id(tenant_id: str, task_id: str, request_id: str, event_id: str) -> str:
    """What a program asks to be allowed, once: the same event asks for the same, and another for something else."""
    return _name_in(_APPROVAL, f"{tenant_id}\n{task_id}\n{request_id}\n{event_id}")


def task_record_id(tenant_id: str, task_id: str, what: str) -> str:
    """A record about a task: what a program said under a name of its own, or what followed once from it."""
    return _name_in(_OF_TASK, f"{tenant_id}\n{task_id}\n{what}")


def approval_hash(action: str, arguments: Any) -> str:
    """What an answer is bound to."""
    return payload_hash({"action": action, "arguments": arguments})


def thread_key(team_id: str, channel_id: str, thread_ts: str | None) -> str:
    """The partition key of everything that must stay in order within one thread, or at the top of one channel."""
    return f"{team_id}:{channel_id}:{thread_ts or ''}"


def payload_hash(payload: Mapping[str, Any]) -> str:
    """A name for a delivery that came without one: the same content has the same name."""
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _name_in(namespace: UUID, name: str) -> str:
    """What `str(uuid5(namespace, name))` is, in a tenth of the time: the router makes several for each event."""
    digest = bytearray(hashlib.sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
