"""Counts what was decided."""

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
from services.kit.telemetry.emitter import Emitter
from services.router import metrics
from services.router.decisions.outcome import Matched
from services.router.decisions.verdict import Verdict


def count(emitter: Emitter, verdict: Verdict, took_s: float) -> None:
    """One decision."""
    decision = verdict.decision
    emitter.count(metrics.DECISIONS, kind=decision.kind)
    emitter.observe(metrics.DECISION_SECONDS, took_s)
    match decision:
        case Dispatched() | UnknownWorkspace():
            pass
        case Duplicate(of=of):
            emitter.count(metrics.DUPLICATES, of=of)
        case Throttled(bucket=bucket, told_by=told_by):
            emitter.count(metrics.THROTTLED, bucket=bucket, told_by=told_by)
        case Ignored(reason=reason):
            emitter.count(metrics.IGNORED, reason=reason)
        case Control(source=source):
            emitter.count(metrics.STOPS, source=source)
        case Interaction(interaction=interaction):
            emitter.count(metrics.INTERACTIONS, interaction=interaction)
        case DeadLettered(reason=dead):
            emitter.count(metrics.LETTERS, reason=dead)
        case _:
            assert_never(decision)
    if isinstance(verdict.evaluation, Matched):
        emitter.count(metrics.MATCHED)
    elif verdict.evaluation is not None:
        emitter.count(metrics.SKIPPED, reason=verdict.evaluation.reason)
