"""Merges the words of a streamed answer that come close together: a provider's client takes long over each event."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

_END: Final = re.compile(rb"\r?\n\r?\n")
_EVENT: Final = re.compile(rb"(?:event: ?[^\r\n]*\r?\n)?data: ?([^\r\n]*)[\r\n]+")
_LONGEST: Final = 1 << 20
"""What has no end by then is no event: it is passed on as it is."""


@dataclass
class Merging:
    """One answer's events, as they are on the wire. What is not known to be mere text passes untouched."""

    _rest: bytes = b""
    """The beginning of an event."""
    _raw: list[bytes] = field(default_factory=list)
    """The events that are held."""
    _texts: list[str] = field(default_factory=list)
    _first: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether there are words that were not passed on."""
        return bool(self._raw)

    def take(self, received: bytes) -> bytes:
        """Some bytes more. Gives what must be passed on at once."""
        buffer, at = self._rest + received, 0
        passed: list[bytes] = []
        for end in _END.finditer(buffer):
            passed += self._event(buffer[at : end.end()])
            at = end.end()
        self._rest = buffer[at:]
        if len(self._rest) > _LONGEST:
            passed += [self.give(), self._rest]
            self._rest = b""
        return b"".join(passed)

    def give(self) -> bytes:
        """What is held, as one event."""
        held, texts, first = self._raw, self._texts, self._first
        self._raw, self._texts, self._first = [], [], {}
        if len(held) <= 1:
            return b"".join(held)
        place = _text_in(first)
        if place is not None:
            place[0][place[1]] = "".join(texts)
        name = f"event: {first['type']}\n" if "type" in first else ""
        return f"{name}data: {json.dumps(first)}\n\n".encode()

    def end(self) -> bytes:
        """Everything that is left."""
        left, self._rest = self.give() + self._rest, b""
        return left

    def _event(self, raw: bytes) -> Iterator[bytes]:
        data = _data_of(raw)
        place = _text_in(data) if data is not None else None
        if data is None or place is None:
            yield self.give()
            yield raw
            return
        if self._raw and not _alike(self._first, data):
            yield self.give()
        if not self._raw:
            self._first = data
        self._raw.append(raw)
        self._texts.append(place[0][place[1]])


def _data_of(raw: bytes) -> dict[str, Any] | None:
    """The JSON of an event that is one line, with its name at most before it."""
    event = _EVENT.fullmatch(raw)
    if event is None:
        return None
    try:
        found = json.loads(event[1])
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _text_in(data: dict[str, Any]) -> tuple[dict[str, Any], str] | None:
    """Where the words of an event stand, if it is nothing but words, as OpenAI's and Anthropic's servers say them."""
    match data:
        case {"choices": [{"delta": {"content": str(), **said} as delta, **choice}], **more}:
            beside = [value for name, value in {**said, **choice}.items() if name not in {"role", "index"}]
            return None if any(beside) or more.get("usage") or more.get("error") else (delta, "content")
        case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str()} as delta}:
            return delta, "text"
        case _:
            return None


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether the words of both belong together."""
    if "choices" in one:
        return "choices" in other and one["choices"][0].get("index") == other["choices"][0].get("index")
    return "choices" not in other and one.get("index") == other.get("index")
