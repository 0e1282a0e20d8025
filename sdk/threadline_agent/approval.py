"""What people answer, and what an answer is bound to: only a yes to exactly what was asked grants anything."""

import hashlib
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from threadline_agent.answer import Answer
from threadline_agent.events import as_text
from threadline_agent.fit import Json

ACTION = 300
ARGUMENTS_BYTES = 16 * 1024
CHOICES, CHOICE = 20, 75
LONGEST_S = 30 * 24 * 3600.0
OK = 200
GRACE_S = 5.0
"""A supervisor's clock may be behind ours."""
POLL_S = 25.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 3.0
NOT_ASKED = "refused"
"""What the supervisor calls a question that it put to nobody."""

_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")
"""Written as JSON, and not the words `\\u0000`, which have one more backslash."""

Kind = Literal["decision", "choice", "question"]


class Outcome(StrEnum):
    """How it ended."""

    APPROVED = "approved"
    REJECTED = "rejected"
    CHOSEN = "chosen"
    ANSWERED = "answered"
    EXPIRED = "expired"
    """Nobody answered in time: neither yes nor no."""
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    """The task was cancelled meanwhile."""
    UNAVAILABLE = "unavailable"
    """Nobody could be asked: there is no supervisor, or it refused the token or the question."""
    REFUSED = "refused"
    """There was an answer, to something else than was asked. It counts for nothing."""


@dataclass(frozen=True, slots=True)
class Approval:
    """An answer. It is true in an `if` only where somebody said yes, or answered a question: a choice is no yes."""

    approval_id: str
    action: str
    arguments: Mapping[str, Json]
    """As they were when it was asked."""
    arguments_hash: str
    outcome: Outcome
    answer: str | None = None
    """The choice, or the words of the answer."""
    reason: str | None = None
    decided_by: str | None = None

    @property
    def approved(self) -> bool:
        """Whether somebody said yes."""
        return self.outcome is Outcome.APPROVED

    def __bool__(self) -> bool:
        return self.outcome in {Outcome.APPROVED, Outcome.ANSWERED}

    def allows(self, action: str, arguments: Mapping[str, Any] | None = None) -> bool:
        """Whether exactly this was approved. To be asked right before it is done."""
        try:
            return self.approved and fingerprint(action, _copied(arguments)) == self.arguments_hash
        except (TypeError, ValueError):
            return False


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, as it was at that moment."""

    kind: Kind
    action: str
    arguments: Mapping[str, Json]
    choices: tuple[str, ...] = ()
    timeout: float = 3600.0
    approval_id: str = field(default_factory=lambda: os.urandom(16).hex())

    @classmethod
    def made(
        cls, action: str, arguments: Mapping[str, Any] | None, choices: Sequence[str] | None, timeout: float
    ) -> "Question":
        """One that can be asked exactly as it is. TypeError or ValueError where it cannot be."""
        if not isinstance(action, str):
            raise TypeError(f"the action of an approval is a text, not a {type(action).__name__}")
        if not action.strip() or len(action) > ACTION:
            raise ValueError(f"the action of an approval has 1 to {ACTION} characters; more belongs into its arguments")
        _must_be_shown(action)
        kind: Kind = "choice" if choices else "decision"
        return cls(kind, action, _copied(arguments), _checked(choices), _bounded(timeout))

    @property
    def arguments_hash(self) -> str:
        """What an answer must be bound to."""
        return fingerprint(self.action, self.arguments)

    def as_fields(self) -> dict[str, Json]:
        """As the supervisor takes it."""
        expires_at = time.time() + self.timeout  # noqa: TID251 - the SDK stands alone
        return {
            "approval_id": self.approval_id,
            "kind": self.kind,
            "action": self.action,
            "arguments": dict(self.arguments),
            "choices": list(self.choices) or None,
            "expires_at": as_text(expires_at),
        }

    def ended(self, outcome: Outcome, reason: str | None = None) -> Approval:
        """Without anybody's answer."""
        return Approval(self.approval_id, self.action, self.arguments, self.arguments_hash, outcome, reason=reason)


class Inquiry:
    """A question that was put to the supervisor: when to ask for its answer, and what comes back. No I/O."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._until = time.monotonic() + question.timeout + GRACE_S
        self._pauses = 0
        self.lost: str | None = None
        """Why the question never reached anybody."""

    def lose(self, why: str) -> None:
        """The supervisor did not take the question."""
        self.lost = why

    def over(self) -> Approval | None:
        """Its end where no answer can come any more."""
        if self.lost is not None:
            return self.question.ended(Outcome.UNAVAILABLE, self.lost)
        if time.monotonic() >= self._until:
            return self.question.ended(Outcome.EXPIRED, "nobody answered in time")
        return None

    def path(self) -> tuple[str, float]:
        """What to ask for, and how many seconds the supervisor may wait with its answer."""
        wait = max(min(POLL_S, self._until - time.monotonic()), 0.0)
        return f"/v1/approvals/{self.question.approval_id}?wait={wait:.1f}", wait

    def pause(self) -> float:
        """Seconds to wait after there was no answer that helps."""
        self._pauses += 1
        left = max(self._until - time.monotonic(), 0.0)
        return min(FIRST_PAUSE_S * 2.0 ** min(self._pauses - 1, 10), LONGEST_PAUSE_S, left)

    def hear(self, answer: Answer) -> "Approval | float":
        """The end, or the seconds until it is to be asked again."""
        if answer.status in {401, 403}:
            return self.question.ended(Outcome.UNAVAILABLE, f"the supervisor refuses the token ({answer.message()})")
        said = answer.said()
        state = said.get("state") if answer.status == OK else None
        if state is None:
            return self.pause()  # the question may still be on its way there
        if state == "open":
            self._pauses = 0
            return FIRST_PAUSE_S
        return self._decided(state, said)

    def _decided(self, state: object, said: Mapping[str, Any]) -> "Approval":
        question = self.question
        if state == NOT_ASKED:
            return question.ended(Outcome.UNAVAILABLE, _text(said.get("reason")))
        asked = (question.approval_id, question.arguments_hash)
        fitting = {
            "decision": {Outcome.APPROVED, Outcome.REJECTED},
            "choice": {Outcome.CHOSEN, Outcome.REJECTED},
            "question": {Outcome.ANSWERED, Outcome.REJECTED},
        }[question.kind] | {Outcome.EXPIRED, Outcome.WITHDRAWN}
        answer = _text(said.get("answer"))
        outcome = next((each for each in fitting if each == state), None)
        if (
            (said.get("approval_id"), said.get("arguments_hash")) != asked
            or outcome is None
            or (outcome is Outcome.CHOSEN and answer not in question.choices)
        ):
            return question.ended(Outcome.REFUSED, "the answer is to something else than was asked")
        return Approval(
            question.approval_id,
            question.action,
            question.arguments,
            question.arguments_hash,
            outcome,
            answer if outcome in {Outcome.CHOSEN, Outcome.ANSWERED} else None,
            _text(said.get("reason")),
            _text(said.get("decided_by")),
        )


def fingerprint(action: str, arguments: Mapping[str, Json]) -> str:
    """The name of exactly this action with exactly these arguments, as the supervisor computes it, too."""
    return hashlib.sha256(_canonical({"action": action, "arguments": dict(arguments)}).encode("ascii")).hexdigest()


def _copied(arguments: Mapping[str, Any] | None) -> dict[str, Json]:
    """As they are now. TypeError or ValueError where they are no JSON object that people can be shown."""
    if arguments is None:
        return {}
    if not isinstance(arguments, Mapping):
        raise TypeError(f"the arguments of an approval are a mapping, not a {type(arguments).__name__}")
    canonical = _canonical(dict(arguments))
    if len(canonical) > ARGUMENTS_BYTES:
        raise ValueError(f"the arguments of an approval have at most {ARGUMENTS_BYTES} bytes of JSON: people read them")
    if _NUL.search(canonical):
        raise ValueError("the arguments of an approval hold a character that cannot be shown (NUL)")
    copied: dict[str, Json] = json.loads(canonical)
    _must_be_shown(json.dumps(copied, ensure_ascii=False))
    return copied


def _canonical(value: Mapping[str, Any]) -> str:
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    except RecursionError:
        raise ValueError("the arguments of an approval are nested too deeply") from None


def _checked(choices: Sequence[str] | None) -> tuple[str, ...]:
    if not choices:
        return ()
    if isinstance(choices, str) or not all(isinstance(each, str) for each in choices):
        raise TypeError("the choices of an approval are a list of texts")
    if len(choices) > CHOICES or not all(each.strip() and len(each) <= CHOICE for each in choices):
        raise ValueError(f"an approval has at most {CHOICES} choices of 1 to {CHOICE} characters")
    if len(set(choices)) < len(choices):
        raise ValueError("the choices of an approval differ from each other")
    _must_be_shown("".join(choices))
    return tuple(choices)


def _must_be_shown(text: str) -> None:
    """Half a character, or none at all, cannot be shown to people."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("what is to be approved holds half a character (a lone surrogate)") from None
    if "\0" in text:
        raise ValueError("what is to be approved holds a character that cannot be shown (NUL)")


def _bounded(timeout: float) -> float:
    if not isinstance(timeout, int | float):
        raise TypeError(f"the timeout of an approval is a number of seconds, not a {type(timeout).__name__}")
    if not timeout > 0:
        raise ValueError("the timeout of an approval is more than 0 seconds")
    return min(float(timeout), LONGEST_S)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
