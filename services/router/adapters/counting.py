"""Counts what was decided: at once in memory, and once a second where measurements go, which costs more."""

from collections import Counter
from typing import assert_never

from schemas.decision import (
    Control,
    DeadLettered,
    Dispatched,
    Duplicate,
    Ignored,
    Interaction,
    Throttled,
    UnknownWorkspace,
)
from services.kit.telemetry import catalogue
from services.kit.telemetry.instruments import Instruments
from services.router import metrics
from services.router.decisions.outcome import Matched
from services.router.decisions.verdict import Verdict

EVERY = 16
"""Of so many decisions one is measured."""


class Counting:
    """What was counted, and not told yet."""

    def __init__(self, instruments: Instruments) -> None:
        self._emitter, self._clock = instruments.emitter, instruments.clock
        self._counts: Counter[tuple[catalogue.Counter, tuple[tuple[str, str], ...]]] = Counter()
        self._number = self._written = 0

    def decided(self, verdict: Verdict, took_s: float) -> None:  # noqa: C901 - one for each kind of decision
        """One decision."""
        decision = verdict.decision
        self._count(metrics.DECISIONS, kind=decision.kind)
        self._number += 1
        if self._number % EVERY == 0:
            self._emitter.observe(metrics.DECISION_SECONDS, took_s)
        match decision:
            case Dispatched() | UnknownWorkspace():
                pass
            case Duplicate(of=of):
                self._count(metrics.DUPLICATES, of=of)
            case Throttled(bucket=bucket, told_by=told_by):
                self._count(metrics.THROTTLED, bucket=bucket, told_by=told_by)
            case Ignored(reason=reason):
                self._count(metrics.IGNORED, reason=reason)
            case Control(source=source):
                self._count(metrics.STOPS, source=source)
            case Interaction(interaction=interaction):
                self._count(metrics.INTERACTIONS, interaction=interaction)
            case DeadLettered(reason=dead):
                self._count(metrics.LETTERS, reason=dead)
            case _:
                assert_never(decision)
        if isinstance(verdict.evaluation, Matched):
            self._count(metrics.MATCHED)
        elif verdict.evaluation is not None:
            self._count(metrics.SKIPPED, reason=verdict.evaluation.reason)

    def written(self, received_s: float) -> None:
        """Everything that follows from one is written."""
        self._written += 1
        if self._written % EVERY == 0:
            took_s = self._clock.now().timestamp() - received_s
            self._emitter.observe(metrics.DECIDED_AFTER_SECONDS, max(0.0, took_s))

    def _count(self, metric: catalogue.Counter, **labels: str) -> None:
        self._counts[metric, tuple(labels.items())] += 1

    def tell(self) -> None:
        """Hands over what was counted."""
        counts, self._counts = self._counts, Counter()
        for (metric, labels), count in counts.items():
            self._emitter.count(metric, count, **dict(labels))
