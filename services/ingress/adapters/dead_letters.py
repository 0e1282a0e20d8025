"""Dead letters: what could not be read, or what the broker never takes, with its bytes and why."""

from datetime import datetime

from schemas.attributes import Attributes
from schemas.letter import DeadLetter
from schemas.record import encode
from schemas.topics import DEAD_LETTERS, name_of
from services.ingress.adapters.outgoing import Outgoing
from services.ingress.decisions.masking import masked_bytes
from services.kit.redaction import Redactor

SOURCE = "/threadline/ingress"
LONGEST = 2 << 20
"""In bytes: as base64, with its story, it just fits on the topic."""


def dead_letter(raw: bytes | None, reason: str, detail: str, at: datetime, name: str) -> Outgoing:
    """The record of a dead letter. `name` tells it from others; a repeat has the same."""
    if raw is not None:
        raw = _without_secrets(raw)
    if raw is not None and len(raw) > LONGEST:
        detail = f"{detail}; of its {len(raw)} bytes the first {LONGEST} are kept"
        raw = raw[:LONGEST]
    letter = DeadLetter(at=at, service="ingress", reason=reason, detail=detail, value=raw)
    record = encode(DEAD_LETTERS, letter, Attributes(name, name_of(DeadLetter), SOURCE, at))
    return Outgoing(DEAD_LETTERS, "ingress", name, record, at, once_only=False)


def instead_of(refused: Outgoing) -> Outgoing:
    """What stands in place of a record that the broker never takes. Of a letter even the bytes are left out."""
    detail = f"the broker takes no record of {refused.topic.name} with {refused.size} bytes"
    raw = None if refused.topic is DEAD_LETTERS else refused.encoded.value
    return dead_letter(raw, "too_large", detail, refused.received_at, refused.id)


def _without_secrets(raw: bytes) -> bytes:
    """Latin-1 has a character for every byte, so that what is no text survives."""
    return Redactor()(masked_bytes(raw).decode("latin-1")).encode("latin-1")
