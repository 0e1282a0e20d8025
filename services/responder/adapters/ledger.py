"""Carries out calls to Slack, each once: meant first, then made, then settled, and all of it written down."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn

from slack_sdk.web.async_client import AsyncWebClient

from schemas import ids
from schemas.effect import EffectConfirmed, EffectFailed, EffectIntended, EffectUnknown, LedgerEntry, RunSuspended
from schemas.slack import is_channel_name
from schemas.topics import SLACK_EFFECTS
from services.kit.kafka.durable import durable
from services.kit.kafka.fence import Fence
from services.kit.kafka.producer import Producer
from services.kit.telemetry.instruments import Instruments
from services.responder import metrics
from services.responder.adapters.gate import Gate
from services.responder.adapters.slack import NotSent, NoWay, Refused, Slack, TooFast, Unsure, Workspace
from services.responder.adapters.spans import Spans
from services.responder.decisions.effects import DONE_ALREADY, Call, Subject, call, entry_of, is_effect
from services.responder.decisions.pace import Urgency
from services.responder.decisions.standing import Standing
from services.responder.decisions.streams import UNANSWERED

log = logging.getLogger(__name__)

CLOSED_LOOK_S: Final = 0.05
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 15.0
SEEN_AFTER_S: Final = 1.0
"""A message may be done and not yet be found: a look-up that finds nothing is repeated once, so much later."""
PAGE: Final = 200
NO_TOKEN, GAVE_UP, NOT_NOW = "no_token", "gave_up", "not_now"


Showing = asyncio.Task[dict[str, Any]]
"""A call that shows a growing text."""


class EffectRefused(Exception):
    """Slack did not do it, and will not."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Outside:
    """What calls go through."""

    slack: Slack
    gate: Gate
    fence: Fence
    spans: Spans


class Ledger:
    """The one way to change something in Slack."""

    def __init__(self, producer: Producer, outside: Outside, instruments: Instruments, give_up_s: float) -> None:
        self._producer, self._slack, self._gate, self._fence = producer, outside.slack, outside.gate, outside.fence
        self._spans = outside.spans
        self._clock, self._emitter = instruments.clock, instruments.emitter
        self._give_up_s = give_up_s
        self._under_way = 0
        self.channels: dict[tuple[str, str], str] = {}
        """The ids of channels that were called by name, by the connection and the name: as Slack answered."""

    async def intend(self, subject: Subject, calls: Sequence[Call]) -> None:
        """Returns when it is durable that all of them are meant."""
        at = self._clock.now()
        entries = [
            EffectIntended(
                at=at,
                effect=entry_of(subject, each),
                settlement=each.settlement,
                arguments_json=json.dumps(each.arguments, ensure_ascii=False),
                of_parts=each.of_parts,
            )
            for each in calls
        ]
        await asyncio.gather(*(self._write(subject, each, f"intended:{each.effect.effect_id}") for each in entries))

    async def do(self, subject: Subject, made: Call, urgency: Urgency) -> str | None:
        """Means it and does it. Gives the ts of the message."""
        await self.intend(subject, [made])
        return await self.carry_out(subject, made, urgency)

    async def leave(self, subject: Subject, made: Call, code: str) -> NoReturn:
        """Means it and does not try it, for a reason of ours."""
        await self.intend(subject, [made])
        await self._refused(subject, made, code, 1)

    async def attempt(self, subject: Subject, made: Call, urgency: Urgency) -> str | None:
        """Means it and tries it once: what can be done in another way is not waited for."""
        await self.intend(subject, [made])
        try:
            return await self._try(subject, made, urgency, 1)
        except (TooFast, NotSent):
            await self._refused(subject, made, NOT_NOW, 1)
        except Unsure as error:
            log.warning("nobody knows whether Slack did %s (%s)", made.method, error)
            found = await self.find(subject, made, str(error))
            if found is None:
                raise EffectRefused(UNANSWERED) from None
            return found

    async def find(self, subject: Subject, made: Call, why: str) -> str | None:
        """What became of a call that is not done again. Gives the ts of the message that it made, if it is there."""
        found, is_settled = await self._settle(subject, made, why)
        if not is_settled:
            await self.nobody_knows(subject, made, why)
        return found

    def is_free(self, subject: Subject, method: str) -> bool:
        """Whether Slack's limits leave room for a call at once."""
        return self._gate.is_free(subject.connection, method, subject.channel_id)

    async def carry_out(self, subject: Subject, made: Call, urgency: Urgency, attempt: int = 1) -> str | None:
        """Does what is meant already, however often that must be tried. Gives the ts of the message."""
        began, pause = self._clock.monotonic(), FIRST_PAUSE_S
        while True:
            try:
                return await self._try(subject, made, urgency, attempt)
            except TooFast:
                pass  # the gate knows, and waits
            except NotSent as error:
                log.warning("%s did not reach Slack (%s); it is tried again", made.method, error)
                await asyncio.sleep(pause)
            except Unsure as error:
                log.warning("nobody knows whether Slack did %s (%s)", made.method, error)
                found, is_settled = await self._settle(subject, made, str(error))
                if is_settled:
                    return found
                await asyncio.sleep(pause)
            attempt += 1
            pause = min(LONGEST_PAUSE_S, pause * 2)
            if self._clock.monotonic() - began > self._give_up_s:
                await self._refused(subject, made, GAVE_UP, attempt)

    async def _try(self, subject: Subject, made: Call, urgency: Urgency, attempt: int) -> str | None:
        try:
            data = await self._call(subject, made.method, made.arguments, urgency)
        except NoWay as error:
            log.error("%s of %s cannot be made: %s", made.method, subject.connection, error)  # noqa: TRY400 - the words say it
            await self._refused(subject, made, NO_TOKEN, attempt)
        except Refused as error:
            if error.code not in DONE_ALREADY.get(made.method, frozenset()):
                await self._refused(subject, made, error.code, attempt)
            return await self._confirmed(subject, made, None, attempt, "repeat")
        ts, channel = data.get("ts") or data.get("message_ts"), data.get("channel")
        if isinstance(channel, str) and is_channel_name(subject.channel_id):
            self.channels[subject.connection, subject.channel_id] = channel
            subject = replace(subject, channel_id=channel)
        return await self._confirmed(subject, made, ts if isinstance(ts, str) else None, attempt, "response")

    async def settle(self, subject: Subject, standing: Standing, made: Call) -> str | None:
        """Finds out what became of a call that somebody before us meant, and does it where it was not done."""
        if made.effect_id in standing.confirmed:
            return standing.confirmed[made.effect_id]
        if made.effect_id in standing.refused:
            raise EffectRefused(standing.refused[made.effect_id])
        if made.effect_id in standing.unknown:
            return None
        found, is_settled = await self._settle(subject, made, "its responder ended")
        return found if is_settled else await self.carry_out(subject, made, Urgency.LAST, attempt=2)

    async def show(
        self,
        subject: Subject,
        method: str,
        shown: Callable[[], Mapping[str, Any]],
        begun: Callable[[Showing], None],
    ) -> bool:
        """Shows a growing text, as it is when the turn for that comes. It needs no entry: last words say it all again.

        `begun` is given the call itself: once it has left, nobody can take it back, and last words must wait for it.
        """
        await self._gate.turn(subject.connection, method, subject.channel_id, Urgency.EDIT)
        try:
            client = await self._ready(subject)
            arguments = {"channel": subject.channel_id, **shown()}
            calling = asyncio.create_task(self._send(subject, client, method, arguments))
            calling.add_done_callback(lambda done: done.cancelled() or done.exception())
            begun(calling)
            await asyncio.shield(calling)
        except (TooFast, NotSent):
            return False
        except Refused as error:
            raise EffectRefused(error.code) from None
        except NoWay:
            raise EffectRefused(NO_TOKEN) from None
        self._emitter.count(metrics.EDITS)
        return True

    async def read(self, subject: Subject, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Asks Slack something."""
        return await self._call(subject, method, arguments, Urgency.FIRST)

    async def _call(
        self, subject: Subject, method: str, arguments: Mapping[str, Any], urgency: Urgency
    ) -> dict[str, Any]:
        await self._gate.turn(subject.connection, method, subject.channel_id, urgency)
        return await self._send(subject, await self._ready(subject), method, arguments)

    async def _ready(self, subject: Subject) -> AsyncWebClient:
        """The last question before a call leaves is whether it still may."""
        client = await self._slack.client(Workspace(subject.tenant_id, subject.connection))
        await self.may_act(subject)
        return client

    async def _send(
        self, subject: Subject, client: AsyncWebClient, method: str, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        self._under_way += 1
        try:
            with self._spans.calling(method, subject):
                return await self._slack.call(client, method, arguments)
        except TooFast as error:
            self._emitter.count(metrics.REFUSED)
            self._gate.rest(subject.connection, method, error.wait_s)
            raise
        finally:
            self._under_way -= 1

    async def suspended(self, subject: Subject, round_: int, state_json: str) -> None:
        """Returns when it is durable that a run waits, and what for."""
        effect_id = ids.effect_id(subject.name, "waiting", round_)
        effect = entry_of(subject, Call(effect_id, "wait", "suspended", {}))
        entry = RunSuspended(at=self._clock.now(), effect=effect, round=round_, state_json=state_json)
        await self._write(subject, entry, f"suspended:{round_}")

    async def answered(self, subject: Subject, made: Call, answer: str) -> None:
        """A tool answered."""
        entry = EffectConfirmed(at=self._clock.now(), effect=entry_of(subject, made), answer=answer)
        await self._write(subject, entry, f"confirmed:{made.effect_id}")
        self._emitter.count(metrics.EFFECTS, purpose=made.purpose, result="confirmed")

    async def not_done(self, subject: Subject, made: Call, code: str, attempt: int = 1) -> None:
        """A call was refused, or never made."""
        entry = EffectFailed(at=self._clock.now(), effect=entry_of(subject, made, attempt), error=code)
        await self._write(subject, entry, f"failed:{made.effect_id}")
        self._emitter.count(metrics.EFFECTS, purpose=made.purpose, result="failed")

    async def nobody_knows(self, subject: Subject, made: Call, why: str) -> None:
        """Nobody can tell any more whether a call was made."""
        entry = EffectUnknown(at=self._clock.now(), effect=entry_of(subject, made), error=why)
        await self._write(subject, entry, f"unknown:{made.effect_id}")
        self._emitter.count(metrics.EFFECTS, purpose=made.purpose, result="unknown")

    async def may_act(self, subject: Subject) -> None:
        """Returns when this process may act for a partition: others may have it meanwhile."""
        while not self._fence.may_act(subject.partition):  # noqa: ASYNC110 - a heartbeat has no event
            await asyncio.sleep(CLOSED_LOOK_S)

    async def quiet(self, within_s: float) -> None:
        """Returns when no call is under way: others, who have the partitions next, see all that was done."""
        until = self._clock.monotonic() + within_s
        while self._under_way and self._clock.monotonic() < until:  # noqa: ASYNC110 - a rebalance is no time for locks
            await asyncio.sleep(CLOSED_LOOK_S)

    async def _settle(self, subject: Subject, made: Call, why: str) -> tuple[str | None, bool]:
        """What can be known of a call of which there is no answer, and whether that is all that is to be done."""
        match made.settlement:
            case "at_most_once":
                await self.nobody_knows(subject, made, why)
                return None, True
            case "repeat":
                return None, False
            case "look_up":
                try:
                    found = await self._found(subject, made) or await self._found(subject, made, SEEN_AFTER_S)
                except (Refused, NoWay) as error:
                    await self.nobody_knows(subject, made, f"{why}; it cannot be looked up: {error}")
                    return None, True
                if not found:
                    return None, False
                await self._without(subject, found[1:])
                return await self._confirmed(subject, made, found[0], 1, "look_up"), True

    async def _without(self, subject: Subject, doubles: Sequence[str]) -> None:
        for number, double in enumerate(doubles):
            gone = call(subject, "chat.delete", "cleanup", {"ts": double}, part=number)
            try:
                await self.do(subject, gone, Urgency.FIRST)
            except EffectRefused as refused:
                log.warning("a message that stands twice cannot be deleted: Slack says %s", refused.code)

    async def _found(self, subject: Subject, made: Call, after_s: float = 0.0) -> list[str]:
        """The messages in Slack that are this effect; one is as it should be."""
        await asyncio.sleep(after_s)
        thread = made.arguments.get("thread_ts")
        method = "conversations.replies" if thread else "conversations.history"
        asked: dict[str, Any] = {"channel": subject.channel_id, "include_all_metadata": "true", "limit": PAGE}
        if thread:
            asked |= {"ts": thread, **({"oldest": subject.asked_ts} if subject.asked_ts else {})}
        found: list[str] = []
        while True:
            try:
                data = await self.read(subject, method, asked)
            except (TooFast, NotSent, Unsure):
                await asyncio.sleep(FIRST_PAUSE_S)
                continue
            messages = data.get("messages")
            ours = [each for each in messages or () if is_effect(each, made, subject.connection)]
            found += [each["ts"] for each in ours if isinstance(each.get("ts"), str)]
            cursor = (data.get("response_metadata") or {}).get("next_cursor")
            if not cursor or not thread:  # a channel is told from its newest message back
                return sorted(set(found))
            asked["cursor"] = cursor

    async def _confirmed(self, subject: Subject, made: Call, ts: str | None, attempt: int, by: Any) -> str | None:
        effect = entry_of(subject, made, attempt)
        entry = EffectConfirmed(at=self._clock.now(), effect=effect, message_ts=ts, settled_by=by)
        await self._write(subject, entry, f"confirmed:{made.effect_id}")
        self._emitter.count(metrics.EFFECTS, purpose=made.purpose, result="confirmed")
        return ts

    async def _refused(self, subject: Subject, made: Call, code: str, attempt: int) -> NoReturn:
        await self.not_done(subject, made, code, attempt)
        raise EffectRefused(code)

    async def _write(self, subject: Subject, entry: LedgerEntry, name: str) -> None:
        record_id = ids.run_record_id(subject.name, name)

        async def send() -> "asyncio.Future[Any]":
            if isinstance(entry, EffectIntended):
                await self.may_act(subject)  # and again where the broker was away: others may have the partition now
            return await self._producer.send(SLACK_EFFECTS, subject.key, entry, record_id)

        await durable(send)
