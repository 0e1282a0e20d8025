"""The life of one run: it thinks, asks a model, shows the answer as it grows, and ends in one of three ways."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from schemas.base import Instant
from schemas.command import RetryAsked, RunRequested, RunResumed
from schemas.effect import EffectPurpose
from schemas.lifecycle import FINAL, RUN_STATE, Phase, Signal
from schemas.run import RunState
from schemas.stop import StopRequested
from services.directory.document import Agent, TenantFacts
from services.directory.holding import Known
from services.directory.lookup import Directory
from services.kit.fault import where_of
from services.kit.telemetry.instruments import Instruments
from services.responder import metrics
from services.responder.adapters.answering import Patience, Question
from services.responder.adapters.audit import Audit, Audited
from services.responder.adapters.conversing import Conversing, Decided, Suspends
from services.responder.adapters.history import History
from services.responder.adapters.ledger import EffectRefused, Ledger
from services.responder.adapters.models import ModelFailed, Wanted
from services.responder.adapters.past import Past
from services.responder.adapters.reply import Reply
from services.responder.adapters.run import NotAnswered, Run, is_told_to_leave
from services.responder.adapters.spans import Spans
from services.responder.adapters.suspending import Suspending, stop_of
from services.responder.decisions import words
from services.responder.decisions.effects import Call, Subject
from services.responder.decisions.prompting import Asked, Persona, Said, asked, by_person
from services.responder.decisions.streams import Streams
from services.responder.decisions.tools import ToolShown
from services.responder.decisions.waiting import Waiting, outcomes
from services.responder.settings import ResponderSettings

log = logging.getLogger(__name__)

OUTCOME: Final = {Phase.REPLIED: "completed", Phase.CANCELLED: "cancelled", Phase.FAILED: "errored"}
ENDED_AS: Final = {RUN_STATE[phase]: phase for phase in FINAL}
EXPIRED, NO_AGENT, NO_REQUEST, OURS = "expired", "no_agent", "request_gone", "internal"


@dataclass(frozen=True)
class Surroundings:
    """What every run works with."""

    settings: ResponderSettings
    instruments: Instruments
    spans: Spans
    directory: Directory
    conversing: Conversing
    suspending: Suspending
    ledger: Ledger
    audit: Audit
    history: History
    past: Past
    streams: Streams


class Life:
    """Lives runs."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._clock, self._emitter = around.instruments.clock, around.instruments.emitter

    async def live(self, run: Run) -> None:
        """Until it is over, or waits. A cancellation leaves it as it is, for whoever has the partition then."""
        around = self._around
        if isinstance(run.command, RunResumed):
            run.standing = await around.past.standing(run.command.run_id, run.subject)
            if await self._was_over(run, run.command):
                return
        run.reply = Reply(around.ledger, run.subject, run.command.run_id, run.standing, around.streams, run.told)
        run.reply.recall()
        run.told()
        self._passed(run, "accepted")
        try:
            await self._to_its_end(run)
        except EffectRefused as refused:
            log.warning("run %s cannot be shown: Slack says %s", run.command.run_id, refused.code)
            run.story.reason = refused.code
            run.phase = Phase.FAILED
        finally:
            await run.reply.leave(at_once=is_told_to_leave())
        self._passed(run, "finished")

    async def account(self, run: Run) -> None:
        """Returns when the audit knows how it went. Nobody's reply waits for that."""
        if run.waits or run.was_over:
            return
        if isinstance(run.command, RunResumed):
            await self._around.suspending.over(run.command, run.phase)
        self._count(run)
        await self._audited(run)

    async def _was_over(self, run: Run, resumed: RunResumed) -> bool:
        """Whether nothing stands of a run any more because it ended long ago: then nobody is told anything.

        The audit reaches further back than the ledger. What neither of them knows may be a run that nobody took up in
        time as well as one that ended: there silence would be worse than a word too many.
        """
        if run.standing.last_words() or self._around.suspending.kept(run, resumed.round) is not None:
            return False
        for state in await self._around.past.states(resumed.run_id, run.subject):
            ended = ENDED_AS.get(state.state) if isinstance(state, RunState) else None
            if ended is not None:
                log.info("run %s was over already: what repeats its decisions leads to nothing", resumed.run_id)
                run.phase, run.was_over = ended, True
        return run.was_over

    async def _to_its_end(self, run: Run) -> None:
        last = run.standing.last_words()
        if last:
            await self._end_what_was_begun(run, last)
            return
        try:
            await self._to_an_answer(run)
        except ModelFailed as failure:
            run.story.reason = failure.trouble
            said = words.failed(failure.trouble, run.command.run_id, has_begun=bool(run.said.strip()))
            await self._end(run, Signal.FAIL, "failed", said, may_retry=words.may_try_again(failure.trouble))
        except NotAnswered as why:
            run.story.reason = why.reason
            await self._end(run, Signal.FAIL, "failed", why.said)
        except asyncio.CancelledError:
            if run.stop is None or is_told_to_leave():
                raise
            await self._stopped(run, run.stop)
        except EffectRefused:
            raise
        except Exception as error:  # noqa: BLE001 - one run must not take the others with it; a message could quote people
            log.error("run %s failed: %s", run.command.run_id, where_of(error))  # noqa: TRY400 - likewise
            run.story.reason = OURS
            said = words.failed("internal", run.command.run_id, has_begun=bool(run.said.strip()))
            await self._end(run, Signal.FAIL, "failed", said, may_retry=True)

    async def _end_what_was_begun(self, run: Run, last: list[Call]) -> None:
        """Somebody before us had decided how it ends: only what is not done of it is done."""
        if run.reply is None:
            return
        await run.reply.say_again(last)
        ended = {"stopped": Phase.CANCELLED, "failed": Phase.FAILED}
        run.phase = ended.get(last[0].purpose, Phase.REPLIED)

    async def _stopped(self, run: Run, stop: StopRequested) -> None:
        said = words.stopped(stop.asked_by, has_begun=bool(run.said.strip()), using=run.using)
        await self._end(run, Signal.CANCEL, "stopped", said)

    async def _to_an_answer(self, run: Run) -> None:
        """Or to where people must decide, to which somebody before us may have come already."""
        waiting = self._around.suspending.kept(run, run.round + 1)
        if waiting is None:
            try:
                text = await self._answered(run)
            except Suspends as suspends:
                waiting = await self._around.suspending.keep(run, suspends)
            else:
                await self._finish(run, text)
                return
        run.request, run.said = waiting.request, waiting.said
        if run.stop is not None:
            raise asyncio.CancelledError
        await self._wait_on(run, waiting)

    async def _wait_on(self, run: Run, waiting: Waiting) -> None:
        """From now on a stop is for who asks people: it comes back as their decision."""
        run.phase = Phase.SUSPENDED
        tenant = await self._tenant(waiting.request)
        await self._around.suspending.tell(run, waiting, tenant)
        self._remember(run, run.said)

    def _taken_up(self, run: Run, resumed: RunResumed) -> Decided:
        """A run that waited, as it was; `NotAnswered` where that is nowhere any more."""
        waiting = self._around.suspending.kept(run, resumed.round)
        if waiting is None:
            raise NotAnswered(NO_REQUEST, f"⚠️ {words.GONE_REQUEST}")
        run.request, run.asked, run.said = waiting.request, waiting.asked, waiting.said
        run.story.usage = waiting.usage
        if run.reply is not None:
            run.reply.go_on_in(waiting.reply_ts, waiting.posted)
        if (stop := stop_of(resumed)) is not None:
            run.end_by(stop)
        if run.stop is not None:
            raise asyncio.CancelledError
        if run.reply is not None:
            run.reply.may_be_named = _named(waiting.request, waiting.asked.history)
            run.reply.live.may_stream = False  # a stream is over where a run waits
            run.reply.grow(f"{run.said}\n\n{words.DECIDED}".strip())
        return Decided(waiting.turn, outcomes(waiting.wanted, resumed.answers))

    async def _answered(self, run: Run) -> str:
        decided: Decided | None = None
        if isinstance(run.command, RunResumed):
            decided = self._taken_up(run, run.command)
        elif run.stop is None:
            run.request = await self._request(run.command, run.subject)
        request = run.request
        if request is None or run.stop is not None:
            raise asyncio.CancelledError
        too_old = self._clock.now() - timedelta(seconds=self._around.settings.responder_too_old_s)
        if decided is None and request.received_at < too_old:
            raise NotAnswered(EXPIRED, words.EXPIRED)
        run.move(Signal.THINK)
        self._passed(run, "thinking")
        beginning = asyncio.create_task(self._begin(run))
        run.asking = asking = asyncio.create_task(self._ask(run, request, decided))
        beginning.add_done_callback(lambda begun: begun.cancelled() or begun.exception() is None or asking.cancel())
        try:
            answered = await asking
        finally:
            await self._both(asking, beginning)
        if run.stop is not None:
            raise asyncio.CancelledError
        return answered

    async def _both(self, asking: "asyncio.Task[str]", beginning: "asyncio.Task[None]") -> None:
        """The placeholder is there before anything else is said; and where it cannot be, nothing can."""
        if is_told_to_leave():
            asking.cancel()
            beginning.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await beginning

    async def _begin(self, run: Run) -> None:
        if run.reply is not None and run.request is not None and run.subject.channel_id:
            await run.reply.begin()

    async def _ask(self, run: Run, request: RunRequested, decided: Decided | None) -> str:
        settings = self._around.settings
        facts = await self._tenant(request)
        agent = _agent(facts, request.agent_id)
        run.rules = {each.name: each for each in facts.tools if each.name in agent.tools}
        if run.asked is None:
            run.asked = await self._asked(run, request, agent)
        models = [agent.model or settings.model]
        fallback = agent.fallback_model or settings.fallback_model
        if fallback is not None and fallback not in models:
            models.append(fallback)
        patience = Patience(settings.first_token_within_s, agent.answer_within_s or settings.answer_within_s)
        question = Question(
            asked=run.asked,
            models=models,
            wanted=Wanted(agent.max_answer_tokens or settings.answer_tokens),
            patience=patience,
        )

        def heard(text: str) -> None:
            if run.phase is Phase.THINKING:
                run.move(Signal.FIRST_TOKEN)
                self._passed(run, "first_token")
            run.said = text
            if run.reply is not None:
                run.reply.grow(text)

        with self._around.spans.asking(agent, run.subject):
            answered = await self._around.conversing.converse(run, question, heard, decided)
        self._passed(run, "last_token")
        return answered

    async def _asked(self, run: Run, request: RunRequested, agent: Agent) -> Asked:
        message, budget = request.message, agent.max_history_tokens
        history = await self._around.history.before(run.subject, message.id) if message.thread is not None else []
        if run.reply is not None:
            run.reply.may_be_named = _named(request, history)
            if words.is_person(message.sender.id):
                run.reply.live.recipient = (message.sender.id, message.sender.team_id or run.subject.team_id)
        persona = Persona(agent.name, agent.role, agent.persona, agent.transparency)
        text = request.prompt or message.content
        if message.attachments:
            names = ", ".join(each.name or each.id for each in message.attachments)
            text = f"{text}\n\n(With it came files that you cannot see: {names}.)"
        room = budget if budget is not None else self._around.settings.history_tokens
        shown = tuple(ToolShown(each.name, each.description, each.arguments) for each in run.rules.values())
        return replace(asked(persona, history, text, message.sender.id, room), tools=shown)

    async def _tenant(self, request: RunRequested) -> TenantFacts:
        tenant = await self._around.directory.owner(request.place.connection.partition(":")[2])
        if not isinstance(tenant, Known):
            raise NotAnswered(NO_AGENT, words.NO_AGENT)
        return tenant.facts

    async def _request(self, command: RunRequested | RetryAsked, subject: Subject) -> RunRequested:
        if isinstance(command, RunRequested):
            return command
        found = await self._around.past.request(command.retry_of, subject)
        if found is None:
            raise NotAnswered(NO_REQUEST, f"⚠️ {words.GONE_REQUEST}")
        told = {"run_id": command.run_id, "at": command.at, "received_at": command.received_at}
        return found.model_copy(update={**told, "trigger": "retry", "place": command.place})

    async def _finish(self, run: Run, text: str) -> None:
        said, usage = text if text.strip() else words.SILENT, run.story.usage
        if run.reply is not None and run.subject.channel_id:
            footer = words.footer(usage) if usage is not None and self._around.settings.reply_footer else None
            await run.reply.finish(said, footer)
        run.move(Signal.FINISH)
        self._remember(run, said)

    def _remember(self, run: Run, said: str) -> None:
        if run.request is None or run.reply is None:
            return
        message, ts = run.request.message, run.reply.ts
        spoken = [
            Said(
                "person",
                by_person(message.sender.id, run.request.prompt or message.content),
                message.sender.id,
                message.id,
            ),
            *([Said("agent", said, ts=ts)] if said.strip() else []),
        ]
        if message.thread is None:
            self._around.history.begin(run.subject.key, spoken)
        else:
            self._around.history.add(run.subject.key, spoken)

    async def _end(
        self, run: Run, signal: Signal, purpose: EffectPurpose, said: str, *, may_retry: bool = False
    ) -> None:
        if run.reply is not None and run.subject.channel_id:
            await run.reply.end(purpose, run.said, said, may_retry=may_retry)
        run.move(signal)
        self._remember(run, run.said)

    def _count(self, run: Run) -> None:
        outcome, trigger = OUTCOME[run.phase], _audited_as(run).trigger
        self._emitter.count(metrics.RUNS, outcome=outcome)
        took = run.story.phases["finished"]
        self._emitter.observe(metrics.RUN_SECONDS, took, event_type=trigger, outcome=outcome)
        if (usage := run.story.usage) is not None:
            self._emitter.count(metrics.TOKENS, usage.input_tokens, direction="input")
            self._emitter.count(metrics.TOKENS, usage.output_tokens, direction="output")
            self._emitter.count(metrics.COST, usage.cost_usd or 0.0)

    async def _audited(self, run: Run) -> None:
        audit, record = self._around.audit, _audited_as(run)
        if run.stop is not None:
            at = run.command.received_at + timedelta(seconds=run.story.phases["finished"])
            acknowledged: Instant | None = at if run.phase is Phase.CANCELLED else None
            after = await audit.cancelled(record, run.stop, acknowledged)
            if after is not None:
                self._emitter.observe(metrics.CANCEL_SECONDS, max(0.0, after))
                self._emitter.count(metrics.STOPS, source=run.stop.source)
        await audit.ended(record, RUN_STATE[run.phase], run.story)  # type: ignore[arg-type] # it is over

    def _passed(self, run: Run, phase: str) -> None:
        """Notes when, in seconds since Slack's receipt."""
        since = self._clock.now() - run.command.received_at
        run.story.phases.setdefault(phase, max(0.0, since.total_seconds()))


def _agent(facts: TenantFacts, agent_id: str) -> Agent:
    for each in facts.agents:
        if each.id == agent_id and each.enabled:
            return each
    raise NotAnswered(NO_AGENT, words.NO_AGENT)


def _named(request: RunRequested, history: Iterable[Said]) -> set[str]:
    """Whom an answer may name: who takes part."""
    named = {said.who for said in history if said.who is not None}
    return {request.message.sender.id, *request.message.mentions, *named}


def _audited_as(run: Run) -> Audited:
    command = run.command
    request = command if isinstance(command, RunRequested) else run.request
    return Audited(
        run_id=command.run_id,
        place=command.place,
        key=run.subject.key,
        trigger=request.trigger if request is not None else "retry",
        agent_id=request.agent_id if request is not None else None,
        event_id=request.event_id if request is not None else None,
        received_at=command.received_at,
    )
