"""What a client is measured and traced with."""

from dataclasses import dataclass

from opentelemetry.trace import Tracer

from services.kit.clock import Clock
from services.kit.telemetry.emitter import Emitter


@dataclass(frozen=True)
class Instruments:
    """The clock, where measurements go, and where spans come from."""

    clock: Clock
    emitter: Emitter
    tracer: Tracer
