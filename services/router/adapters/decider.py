"""Decides records of slack.inbound: gathers the facts, asks the gates, and puts into records what is to be said."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from opentelemetry.trace import SpanKind, set_span_in_context

from schemas.attributes import Attributes
from schemas.decision import DeadLettered, Ignored, UnknownWorkspace
from schemas.letter import ATTEMPTS, DeadLetter
from schemas.record import CannotWrite, encode
from schemas.topics import AUDIT_DECISIONS, ROUTER_JOURNAL, SLACK_INBOUND, Topic, name_of
from services.directory.holding import Known
from services.directory.lookup import Directory
from services.kit.fault import where_of
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.traces import context_of, current_trace
from services.router.adapters.counting import Counting
from services.router.adapters.losses import PAUSED
from services.router.adapters.opening import Dead, Opened, opened
from services.router.adapters.tenants import Tenants
from services.router.decisions import saying
from services.router.decisions.decide import decide
from services.router.decisions.facts import Facts
from services.router.decisions.letters import Bound, Tally
from services.router.decisions.outcome import Outcome
from services.router.decisions.saying import Outgoing
from services.router.decisions.verdict import Verdict, verdict_of
from services.router.settings import SERVICE
from services.router.stream.deciding import Answer, Halt, Out, Plan, Source
from services.router.stream.memory import Memory
from services.router.stream.row import Row
from services.router.stream.row import encode as encode_row

log = logging.getLogger(__name__)

Trace = Mapping[str, Any]
"""The `traceparent` and `tracestate` that records are written with."""

SOURCE = "/threadline/router"
LONGEST_COUNT = 6
ROOM = 4096
"""Of a record's largest size, what headers and the batch around it take."""


class InboundDecider:
    """The router's own part."""

    def __init__(self, directory: Directory, tenants: Tenants, bound: Bound, instruments: Instruments) -> None:
        self._directory, self._tenants, self._bound = directory, tenants, bound
        self._clock, self._tracer = instruments.clock, instruments.tracer
        self.counting = Counting(instruments)
        self._tallies: dict[int, Tally] = {}
        self._told_unknown: set[str] = set()
        self.pause: Callable[[int, int, Tally], None] = lambda *_: None
        """Hears that a partition is paused, and at which offset."""

    def begin_anew(self, partition: int) -> None:
        """A partition is ours, or an operator has looked: its letters are counted anew."""
        self._tallies[partition] = Tally()

    def tally(self, partition: int) -> Tally:
        """How many letters there were lately."""
        return self._tallies.setdefault(partition, Tally())

    def written(self, opened: Opened) -> None:
        """Everything that follows from it is written."""
        self.counting.written(opened.at)
        if opened.span is not None:
            opened.span.end()

    def open(self, source: Source) -> Opened:
        """Opens a record."""
        return opened(source)

    def missing(self, opened: Opened) -> Awaitable[object] | None:
        """Whose workspace it is, where only Postgres can tell."""
        if opened.known is not None or opened.workspace is None:
            return None
        opened.known = self._directory.known(opened.workspace)
        return None if opened.known is not None else self._ask(opened, opened.workspace)

    async def _ask(self, opened: Opened, workspace: str) -> None:
        opened.known = await self._directory.owner(workspace)

    def decide(self, opened: Opened, source: Source, memory: Memory, now: float) -> Answer:
        """Decides. What fails in a way that was not foreseen is a dead letter, and stops no partition."""
        dead = opened.dead
        if dead is None:
            try:
                return self._decided(opened, source, memory, now)
            except CannotWrite as error:
                dead = Dead("decision_failed", str(error))
            except Exception as error:  # noqa: BLE001 - as the docstring says; a message could quote what people wrote
                dead = Dead("decision_failed", f"deciding it failed with {type(error).__name__}")
                log.error("offset %d could not be decided: %s", source.offset, where_of(error))  # noqa: TRY400 - likewise
        return self._give_up(dead, opened, source, memory, now)

    def repeat(self, opened: Opened, source: Source, row: Row) -> Plan:
        """Says again what was decided."""
        verdict = Verdict.model_validate_json(row.said)
        if isinstance(verdict.decision, DeadLettered):
            dead = Dead(verdict.decision.reason, verdict.detail or "")
            return Plan(row, self._letter(dead, opened, source, verdict))
        return Plan(row, self._said(opened, source, verdict))

    def _decided(self, opened: Opened, source: Source, memory: Memory, now: float) -> Plan:
        began = self._clock.monotonic()
        at, event, known = datetime.fromtimestamp(now, UTC), opened.event, opened.known
        if event is None or known is None:
            outcome, verdict = _UNKNOWN_TYPE, Verdict(at=at, decision=_UNKNOWN_TYPE.decision)
        else:
            tenant = self._tenants.ready(known) if isinstance(known, Known) else None
            facts = Facts(tenant, known.revision, memory)
            outcome = decide(event, facts, at)
            verdict = verdict_of(outcome, event, facts, at)
            if isinstance(outcome.decision, UnknownWorkspace):
                self._tell_unknown(event.connection)
        row = _row(outcome, verdict, memory, now)
        plan = Plan(row, self._said(opened, source, verdict), _kept(row))
        self.counting.decided(verdict, self._clock.monotonic() - began)
        self.tally(source.partition).count(is_dead=False)
        return plan

    def _tell_unknown(self, connection: str) -> None:
        """Once for each connection: it could go on for as long as the app is installed there."""
        if connection not in self._told_unknown and len(self._told_unknown) < MOST_TOLD:
            self._told_unknown.add(connection)
            log.warning(
                "no tenant owns the workspace of %s: its events are counted and left unanswered. Describe it in "
                "directory.yaml, or remove the app there",
                connection,
            )

    def _give_up(self, dead: Dead, opened: Opened, source: Source, memory: Memory, now: float) -> Answer:
        tally = self.tally(source.partition)
        if tally.is_full(self._bound):
            self.pause(source.partition, source.offset, tally)
            return Halt(PAUSED)
        at = datetime.fromtimestamp(now, UTC)
        verdict = Verdict(at=at, decision=DeadLettered(reason=dead.reason), detail=dead.detail)
        row = _row(Outcome(verdict.decision), verdict, memory, now)
        plan = Plan(row, self._letter(dead, opened, source, verdict), _kept(row))
        log.error(
            "the record at offset %d of partition %d is kept as a dead letter (%s: %s); `threadline dlq list`",
            *(source.offset, source.partition, dead.reason, dead.detail),
        )
        self.counting.decided(verdict, 0)
        tally.count(is_dead=True)
        return plan

    def _said(self, opened: Opened, source: Source, verdict: Verdict) -> tuple[Out, ...]:
        where = saying.Source(source.partition, source.offset)
        said = saying.say(opened.event, verdict, where)
        trace = self._trace(opened, source, said, verdict)
        return tuple(_encoded(each, trace) for each in said)

    def _trace(self, opened: Opened, source: Source, said: Sequence[Outgoing], verdict: Verdict) -> Trace:
        """Everything that an envelope leads to belongs to its trace. What services are told has a span of its own."""
        attributes = opened.attributes
        if attributes is None:
            return {}
        if all(_is_audit(each.topic) for each in said):
            return {"traceparent": attributes.traceparent, "tracestate": attributes.tracestate}
        opened.span = self._tracer.start_span(
            f"process {SLACK_INBOUND.name}",
            context_of(attributes),
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.name": "process",
                "messaging.destination.name": SLACK_INBOUND.name,
                "messaging.destination.partition.id": str(source.partition),
                "messaging.kafka.offset": source.offset,
                "threadline.decision": verdict.decision.kind,
            },
        )
        return current_trace(set_span_in_context(opened.span))

    def _letter(self, dead: Dead, opened: Opened, source: Source, verdict: Verdict) -> tuple[Out, ...]:
        where = saying.Source(source.partition, source.offset)
        letter = DeadLetter(
            at=verdict.at,
            service=SERVICE,
            reason=dead.reason,
            detail=dead.detail,
            source_topic=SLACK_INBOUND.name,
            source_partition=source.partition,
            source_offset=source.offset,
            attempts=_attempts(source.headers),
            key=source.key,
            value=source.value,
            headers=source.headers,
        )
        said = saying.say_dead(letter, verdict, where, opened.names)
        trace = self._trace(opened, source, said, verdict)
        try:
            return tuple(_encoded(each, trace) for each in said)
        except CannotWrite:  # such as a megabyte of headers: what it was stays in slack.inbound
            bare = letter.model_copy(update={"headers": (), "key": None, "value": None})
            return tuple(_encoded(each, trace) for each in saying.say_dead(bare, verdict, where, None))


_UNKNOWN_TYPE = Outcome(Ignored(reason="unknown_event"))
MOST_TOLD = 1000


def _row(outcome: Outcome, verdict: Verdict, memory: Memory, now: float) -> Row:
    said = verdict.model_dump_json(exclude_none=True).encode()
    return Row(now, memory.lasting(outcome.changes, now), outcome.changes, said)


def _encoded(outgoing: Outgoing, trace: Trace) -> Out:
    topic, fact = outgoing.topic, outgoing.fact
    record = encode(topic, fact, Attributes(outgoing.id, name_of(type(fact)), SOURCE, fact.at, **trace))
    _refuse_large(topic, len(record.value) + len(outgoing.key or b""))
    return Out(topic, outgoing.key, record.value, record.headers, _is_audit(topic))


AUDIT = AUDIT_DECISIONS.name.partition(".")[0]


def _is_audit(topic: Topic) -> bool:
    return topic.name.startswith(AUDIT)


def _refuse_large(topic: Topic, size: int) -> None:
    if size > topic.largest_record - ROOM:
        raise CannotWrite(f"a record of {topic.name} would be larger than the topic takes")


def _kept(row: Row) -> bytes:
    """A row as it stands in the journal."""
    encoded = encode_row(row)
    _refuse_large(ROUTER_JOURNAL, len(encoded))
    return encoded


def _attempts(headers: tuple[tuple[str, bytes | None], ...]) -> int:
    tried = dict(headers).get(ATTEMPTS)
    return int(tried) + 1 if tried is not None and len(tried) <= LONGEST_COUNT and tried.isdigit() else 1
