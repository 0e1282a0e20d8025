"""Runs that wait for people: kept durably, handed to who asks them, and taken up again."""

import json
from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from schemas import ids
from schemas.agent import EndStatus, RunOver, ToolsWanted, ToolWanted, WaitingRun
from schemas.command import Place, RunResumed
from schemas.lifecycle import Phase
from schemas.stop import StopRequested, StopRun
from schemas.topics import AGENTS_COMMANDS
from services.directory.document import TenantFacts
from services.kit.clock import Clock
from services.kit.kafka.durable import durable
from services.kit.kafka.producer import Producer
from services.responder.adapters.conversing import Suspends
from services.responder.adapters.ledger import Ledger
from services.responder.adapters.run import NotAnswered, Run
from services.responder.decisions import words
from services.responder.decisions.tools import ToolCall, action_of, arguments_of, hash_of
from services.responder.decisions.waiting import Waiting, Whose, fitting, home_of

_WAITING: TypeAdapter[Waiting] = TypeAdapter(Waiting)
TOO_MUCH_TO_KEEP: Final = "too_much_to_keep"
LONGEST_NAME: Final = 120
ENDED: Final[dict[Phase, EndStatus]] = {
    Phase.REPLIED: "complete",
    Phase.CANCELLED: "cancelled",
    Phase.FAILED: "error",
}


class Suspending:
    """Every run's."""

    def __init__(self, ledger: Ledger, producer: Producer, clock: Clock) -> None:
        self._ledger, self._producer, self._clock = ledger, producer, clock

    async def keep(self, run: Run, suspends: Suspends) -> Waiting:
        """Returns when it is durable what the run needs to go on."""
        if run.request is None or run.asked is None:
            raise ValueError("a run that waits was asked something")
        if run.reply is not None:
            await run.reply.leave()  # in which message it goes on is sure when nothing grows any more
        expires_at = self._clock.now() + timedelta(
            seconds=min(run.rules[each.tool].approval_within_s for each in suspends.wanted)
        )
        waiting: Waiting | None = Waiting(
            round=run.round + 1,
            request=run.request,
            asked=run.asked,
            turn=suspends.turn,
            wanted=tuple(suspends.wanted),
            said=run.said,
            usage=run.story.usage,
            expires_at=expires_at,
            reply_ts=run.reply.ts if run.reply is not None else None,
            posted=tuple(sorted(run.reply.posted)) if run.reply is not None else (),
        )
        while waiting is not None:
            state = _WAITING.dump_json(waiting).decode()
            if (fits := fitting(waiting, len(json.dumps(state, ensure_ascii=False).encode()))) is waiting:
                await self._ledger.suspended(run.subject, waiting.round, state)
                return waiting
            waiting = fits
        raise NotAnswered(TOO_MUCH_TO_KEEP, words.TOO_MUCH_TO_KEEP)

    def kept(self, run: Run, round_: int) -> Waiting | None:
        """What it needs to go on, as it was kept; none where that is nowhere any more."""
        found = run.standing.suspended.get(round_)
        try:
            return _WAITING.validate_json(found.state_json) if found is not None else None
        except ValidationError:
            return None

    async def tell(self, run: Run, waiting: Waiting, facts: TenantFacts) -> None:
        """Says in Slack that it waits, and asks for a decision. Done again, it leads to the same."""
        place, reply = run.command.place, run.reply
        asker = waiting.request.message.sender.id
        approvers = {each.user for each in facts.people if "approve" in each.may}
        decides_oneself = facts.self_approval and (facts.anyone_may_approve or asker in approvers)
        whose = Whose(facts.agents_channel_in(place.connection.partition(":")[2]), decides_oneself)
        home = home_of(place, reply.ts if reply is not None else None, whose)
        if reply is not None and place.channel_id is not None:
            notice = words.waits([each.tool for each in waiting.wanted], home, waiting.expires_at)
            await reply.suspend(waiting.round, waiting.said, notice)
        asked = ToolsWanted(
            at=self._clock.now(),
            run_id=run.command.run_id,
            agent_id=waiting.request.agent_id,
            home=home,
            task_name=_name(waiting),
            run=WaitingRun(
                place=place,
                key=run.subject.key,
                asked_by=asker,
                asked_at=waiting.request.at,
                messages=tuple(run.stoppable.messages),
                round=waiting.round,
                asks=len(waiting.wanted),
            ),
            wanted=tuple(_wanted(each) for each in waiting.wanted),
            expires_at=waiting.expires_at,
        )
        await self._send(place, asked, ids.run_record_id(run.command.run_id, f"tools:{waiting.round}"))

    async def over(self, resumed: RunResumed, phase: Phase) -> None:
        """Who asked for decisions hears how the run ended."""
        said = RunOver(
            at=self._clock.now(),
            run_id=resumed.run_id,
            agent_id=resumed.agent_id,
            place=resumed.place,
            ended=ENDED[phase],
        )
        await self._send(resumed.place, said, ids.run_record_id(resumed.run_id, "over"))

    async def _send(self, place: Place, event: ToolsWanted | RunOver, name: str) -> None:
        await durable(lambda: self._producer.send(AGENTS_COMMANDS, place.connection, event, name))


def stop_of(resumed: RunResumed) -> StopRequested | None:
    """Somebody ended the run while it waited."""
    if resumed.cancelled_by is None:
        return None
    return StopRequested(
        at=resumed.received_at,
        stop_id=ids.run_record_id(resumed.run_id, f"cancelled:{resumed.round}"),
        cause=f"waiting:{resumed.run_id}:{resumed.round}",
        tenant_id=resumed.place.tenant_id,
        connection=resumed.place.connection,
        target=StopRun(run_id=resumed.run_id),
        source="supervisor",
        asked_by=resumed.cancelled_by,
        may_stop_anyone=True,
        directory_revision=0,
    )


def _wanted(call: ToolCall) -> ToolWanted:
    arguments = arguments_of(call) or {}
    return ToolWanted(
        call_id=call.call_id,
        action=action_of(call.tool),
        arguments_json=json.dumps(arguments, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
        arguments_hash=hash_of(call.tool, arguments),
    )


def _name(waiting: Waiting) -> str:
    asked = " ".join(waiting.request.message.content.split()) or "An answer"
    return asked if len(asked) <= LONGEST_NAME else f"{asked[: LONGEST_NAME - 1]}…"
