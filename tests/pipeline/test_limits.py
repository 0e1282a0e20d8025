"""How often one may ask, and what is told when that was too often."""

import re

from bench.beds.inbox import Inbox
from bench.beds.models import ModelServer, Says
from schemas.command import Notice
from schemas.decision import DecisionMade, Throttled
from schemas.topics import RUNS_COMMANDS
from services.slack_sim.control.conditions import AnEphemeral
from tests.pipeline.town import Town
from tests.pipeline.traces import decided, decisions, requested
from tests.responder.conftest import Talk

TOO_MANY = re.compile(r"Too many requests, try again in (\d+) s\.")


async def asked_quickly(talk: Talk, times: int) -> list[str]:
    """Somebody asks again and again, in both channels. Gives each ts."""
    return [await talk.mention(f"question {number}", channels(talk)[number % 2]) for number in range(times)]


def channels(talk: Talk) -> tuple[str, str]:
    """Where they ask, in turns."""
    return talk.first.general, talk.first.support


async def first_decisions(talk: Talk, asked: list[str]) -> list[DecisionMade]:
    """What became of each when it was there for the first time."""
    found = await decisions(talk, asked)
    return [found[ts][0] for ts in asked]


async def refusal(talk: Talk, channel: str) -> int:
    """What somebody is told. Gives how many seconds they are to wait."""
    shown = AnEphemeral(channel_id=channel, user_id=talk.first.you, contains="Too many requests")
    told = await talk.sim.wait(shown, 60)
    found = TOO_MANY.search(str(told["text"]))
    assert found is not None, told
    return int(found[1])


async def test_the_thirtieth_passes_and_the_thirty_first_is_refused_with_the_seconds_to_wait(
    town: Town, model: ModelServer
) -> None:
    initech, first = town.initech, town.initech.first
    asked = await asked_quickly(initech, 31)
    made = zip(await first_decisions(initech, asked), asked, strict=True)
    came = sorted(made, key=lambda each: each[0].source_offset)  # of two sockets now and then one is faster
    assert [each.decision.kind for each, _ in came] == ["dispatched"] * 30 + ["throttled"]
    *passed, refused = (ts for _, ts in came)
    channel = channels(initech)[asked.index(refused) % 2]
    seconds = await refusal(initech, channel)
    assert 1 <= seconds <= 60
    commands = [each.event for each in await Inbox(town.kafka).found(RUNS_COMMANDS)]
    [notice] = [each for each in commands if isinstance(each, Notice) and each.place.tenant_id == "initech"]
    assert notice.notice == "throttled"
    assert notice.retry_after_s is not None
    assert seconds - 1 < notice.retry_after_s <= seconds
    assert len(await requested(initech, *passed)) == 30
    assert await requested(initech, refused) == []
    seen = await initech.sim.transcript(channel, viewer=first.colleague)
    assert seen.ephemerals == [], "nobody else sees it"
    model.does(Says("Here at once."))
    await town.globex.answer(await town.globex.mention("and we?"), "Here at once.")
    assert await initech.thread(refused, channel) == []


async def test_a_tenant_without_a_limit_of_its_own_has_thirty_a_minute_and_they_come_back(town: Town) -> None:
    """It gains one each two seconds while it asks: a slow machine lets some more through, and never more than that."""
    hooli = town.hooli
    asked: list[str] = []
    kinds: list[str] = []
    while "throttled" not in kinds:
        asked += await asked_quickly(hooli, 31)
        made = sorted(await first_decisions(hooli, asked), key=lambda each: each.source_offset)  # as they came in
        kinds = [each.decision.kind for each in made]
    passed = kinds.index("throttled")
    took = (made[passed].at - made[0].at).total_seconds()
    assert 30 <= passed <= 30 + took / 2
    refused = made[passed].decision
    assert isinstance(refused, Throttled)
    assert 0 < refused.retry_after_s <= 2

    async def one_passes() -> bool:
        return (await decided(hooli, await hooli.mention("and now?")))[0].kind == "dispatched"

    await hooli.until(one_passes)
