"""`threadline why`: everything on record of a run, a message or a delivery, or the reason for a silence."""

import json
from pathlib import Path
from typing import Any, get_args

from bench.beds.inbox import Inbox
from schemas.decision import IgnoredReason
from schemas.topics import AUDIT_DECISIONS
from services.report.decisions.receipt import SILENCES
from services.report.decisions.target import Target, target_of
from tests.commands import said
from tests.responder.conftest import Talk, talk

__all__ = ["talk"]


async def why(talk: Talk, *arguments: str, code: int = 0) -> str:
    """What the command says."""
    return await said(talk.environment, Path.cwd(), "why", *arguments, code=code)


async def lines(talk: Talk, *arguments: str) -> list[str]:
    """What it tells machines: only what is said of each record."""
    found: list[dict[str, Any]] = json.loads(await why(talk, *arguments, "--format", "json"))
    assert [each["at"] for each in found] == sorted(each["at"] for each in found)
    return [each["what"] for each in found]


async def settled(talk: Talk, run_id: str) -> list[str]:
    """A run's receipt when nothing is added to it any more: Slack tells of our own words, too."""
    before: list[str] = []
    while (found := await lines(talk, run_id)) != before or not any("complete" in line for line in found):
        before = found
    return found


def test_a_target_is_a_run_a_message_or_a_delivery() -> None:
    run = "5f0c0a2e-3b5c-5d0e-9d2a-0e6a0b7c9d11"
    assert target_of(run) == Target("run", run)
    message = Target("message", "1772442900.000100", "C0HELP")
    assert target_of("C0HELP/1772442900.000100") == target_of("C0HELP:1772442900.000100") == message
    assert target_of("https://acme.slack.com/archives/C0HELP/p1772442900000100?thread_ts=1.0") == message
    assert target_of("Ev0123") == Target("event", "Ev0123")


async def test_the_run_its_message_and_its_reply_have_the_same_receipt(talk: Talk) -> None:
    asked = await talk.mention("count to 3")
    other = await talk.mention("count to 4")
    reply = await talk.answer(asked, "3.")
    await talk.answer(other, "4.")
    run_id = (await talk.ended(reply)).run_id
    assert run_id is not None
    channel = talk.first.support
    since = ("--from", "1h")
    by_run = await settled(talk, run_id)
    assert await lines(talk, f"{channel}/{asked}", *since) == by_run
    assert await lines(talk, f"{channel}/{reply['ts']}", *since) == by_run
    kinds = [line.partition(" ")[0] for line in by_run]
    assert kinds[:2] == ["app_mention", "message"] or kinds[:2] == ["message", "app_mention"]
    assert sum(line.startswith("decided: run") for line in by_run) == 1
    assert sum(line.startswith("decided: nothing, this cause was there before") for line in by_run) == 1
    assert sum(f"run {run_id}: complete" in line and "tokens in" in line for line in by_run) == 1
    assert any(line.startswith("did chat.postMessage for placeholder") for line in by_run)
    assert not any("count to" in line for line in by_run), "no words of people"
    told = await why(talk, run_id)
    assert "audit.decisions/" in told


async def test_a_silence_has_a_reason(talk: Talk) -> None:
    ts = await talk.sim.say(talk.first.you, talk.first.support, "nobody is meant by that")
    await talk.until(lambda: _is_decided(talk, ts))
    found = await lines(talk, f"{talk.first.support}/{ts}", "--from", "1h")
    assert any("decided: nothing, nobody was addressed" in line for line in found)


async def test_what_nobody_knows_is_said(talk: Talk) -> None:
    assert "nothing is known of the event EvNothing" in await why(talk, "EvNothing", code=1)


async def _is_decided(talk: Talk, ts: str) -> bool:
    events = [each.event_id for each in await talk.sim.envelopes() if ts in json.dumps(each.payload)]
    made = [each.event.event_id or "" for each in await Inbox(talk.kafka).found(AUDIT_DECISIONS)]
    return any(name.partition(":")[2] in events for name in made)


def test_every_silence_has_words() -> None:
    assert set(SILENCES) == set(get_args(IgnoredReason))
