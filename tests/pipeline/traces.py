"""What a message left behind on the topics."""

import asyncio
from collections.abc import Iterable
from typing import Any

from bench.beds.inbox import Inbox
from schemas.command import RunRequested
from schemas.decision import Decision, DecisionMade
from schemas.envelope import SlackEnvelope
from schemas.topics import AUDIT_DECISIONS, RUNS_COMMANDS, SLACK_INBOUND
from tests.responder.conftest import Talk

PATIENCE_S = 60.0


def ts_of(envelope: SlackEnvelope) -> Any:
    """Which message a delivery is about."""
    event = envelope.payload.get("event")
    return event.get("ts") if isinstance(event, dict) else None


async def decided(talk: Talk, ts: str, least: int = 1) -> list[Decision]:
    """What the router made of the deliveries of a message, in their order, once there are so many."""
    return [each.decision for each in (await decisions(talk, [ts], least))[ts]]


async def decisions(talk: Talk, said: Iterable[str], least: int = 1) -> dict[str, list[DecisionMade]]:
    """The same for many messages, with when and why."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await _decisions(talk, said)
            if all(len(made) >= least for made in found.values()):
                return found
            await asyncio.sleep(0.1)


async def _decisions(talk: Talk, said: Iterable[str]) -> dict[str, list[DecisionMade]]:
    inbox, connection = Inbox(talk.kafka), f"{talk.first.app.id}:{talk.first.team}"
    envelopes = [each.event for each in await inbox.found(SLACK_INBOUND)]
    about = {each.event_id: ts_of(each) for each in envelopes if isinstance(each, SlackEnvelope)}
    made: list[DecisionMade] = [each.event for each in await inbox.found(AUDIT_DECISIONS)]
    mine = [each for each in made if each.connection == connection and each.event_id is not None]
    mine.sort(key=lambda each: (each.source_partition, each.source_offset))
    return {ts: [each for each in mine if about.get(each.event_id or "") == ts] for ts in said}


async def requested(talk: Talk, *ts: str) -> list[RunRequested]:
    """The runs that messages led to."""
    found = [each.event for each in await Inbox(talk.kafka).found(RUNS_COMMANDS)]
    return [each for each in found if isinstance(each, RunRequested) and each.message.id in ts]
