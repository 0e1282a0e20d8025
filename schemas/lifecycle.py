"""The life of a run: one table of transitions, its one mapping to run.state, and the diagram that is drawn from it."""

from enum import StrEnum
from types import MappingProxyType

from schemas.run import RunStateName


class Phase(StrEnum):
    """Where a run is."""

    ACCEPTED = "accepted"
    THINKING = "thinking"
    STREAMING = "streaming"
    SUSPENDED = "suspended"
    STOPPING = "stopping"
    REPLIED = "replied"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Signal(StrEnum):
    """What moves a run on."""

    THINK = "think"
    FIRST_TOKEN = "first_token"  # noqa: S105 - a model's token, no secret
    SUSPEND = "suspend"
    RESUME = "resume"
    ASK_STOP = "ask_stop"
    FINISH = "finish"
    CANCEL = "cancel"
    FAIL = "fail"


class NotPossible(ValueError):
    """A signal that a run in this phase cannot take."""

    def __init__(self, phase: Phase, signal: Signal) -> None:
        super().__init__(f"a run that is {phase} cannot take {signal}")
        self.phase = phase
        self.signal = signal


TRANSITIONS = MappingProxyType(
    {
        (Phase.ACCEPTED, Signal.THINK): Phase.THINKING,
        (Phase.ACCEPTED, Signal.ASK_STOP): Phase.STOPPING,
        (Phase.ACCEPTED, Signal.FAIL): Phase.FAILED,
        (Phase.THINKING, Signal.FIRST_TOKEN): Phase.STREAMING,
        (Phase.THINKING, Signal.SUSPEND): Phase.SUSPENDED,
        (Phase.THINKING, Signal.FINISH): Phase.REPLIED,
        (Phase.THINKING, Signal.ASK_STOP): Phase.STOPPING,
        (Phase.THINKING, Signal.FAIL): Phase.FAILED,
        (Phase.STREAMING, Signal.SUSPEND): Phase.SUSPENDED,
        (Phase.STREAMING, Signal.FINISH): Phase.REPLIED,
        (Phase.STREAMING, Signal.ASK_STOP): Phase.STOPPING,
        (Phase.STREAMING, Signal.FAIL): Phase.FAILED,
        (Phase.SUSPENDED, Signal.RESUME): Phase.THINKING,
        (Phase.SUSPENDED, Signal.ASK_STOP): Phase.STOPPING,
        (Phase.SUSPENDED, Signal.FAIL): Phase.FAILED,
        (Phase.STOPPING, Signal.CANCEL): Phase.CANCELLED,
        (Phase.STOPPING, Signal.FINISH): Phase.REPLIED,
        (Phase.STOPPING, Signal.FAIL): Phase.FAILED,
    }
)
"""FINISH out of STOPPING is the answer whose last call was already on its way when the stop came."""

FINAL = frozenset({Phase.REPLIED, Phase.CANCELLED, Phase.FAILED})

RUN_STATE: MappingProxyType[Phase, RunStateName | None] = MappingProxyType(
    {
        Phase.ACCEPTED: "start",
        Phase.THINKING: None,
        Phase.STREAMING: None,
        Phase.SUSPENDED: None,
        Phase.STOPPING: "cancel_requested",
        Phase.REPLIED: "complete",
        Phase.CANCELLED: "cancelled",
        Phase.FAILED: "error",
    }
)
"""What entering a phase is called in the audit; nothing for the phases that reports do not count."""


def advance(phase: Phase, signal: Signal) -> Phase:
    """The phase that a signal leads to."""
    try:
        return TRANSITIONS[phase, signal]
    except KeyError:
        raise NotPossible(phase, signal) from None


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.ACCEPTED}"]
    lines += [f"    {phase} --> {after}: {signal}" for (phase, signal), after in TRANSITIONS.items()]
    lines += [f"    {phase} --> [*]" for phase in Phase if phase in FINAL]
    return "\n".join(lines) + "\n"
