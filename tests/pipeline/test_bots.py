"""What agents and other programs say asks nobody: no two of them ever answer each other."""

from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.control import asks
from tests.pipeline.town import Town
from tests.pipeline.traces import decided, requested
from tests.responder.conftest import Talk, words_of


def writing_as(talk: Talk, token: str) -> AsyncWebClient:
    """An app's own client."""
    return AsyncWebClient(token, base_url=talk.sim.api_url)


async def said_by(talk: Talk, token: str, text: str) -> str:
    """An app says something in a channel. Gives its ts."""
    answer = await writing_as(talk, token).chat_postMessage(channel=talk.first.support, text=text)
    return str(answer["ts"])


async def reasons(talk: Talk, ts: str, least: int = 1) -> set[str]:
    """Why a message was ignored, by whatever deliveries of it there were."""
    made = await decided(talk, ts, least)
    assert {each.kind for each in made} == {"ignored"}
    return {each.reason for each in made if each.kind == "ignored"}


async def test_an_agent_that_mentions_another_is_not_answered(town: Town) -> None:
    mara, bram = town.acme.first, town.bram.first
    ts = await said_by(town.acme, mara.bot_token, f"<@{bram.bot_user}> and <@{mara.bot_user}>, what do you think?")
    assert await reasons(town.bram, ts, 2) == {"bot_message"}
    assert await reasons(town.acme, ts) == {"own_message"}
    back = await said_by(town.bram, bram.bot_token, f"<@{mara.bot_user}> what do you think?")
    assert await reasons(town.acme, back, 2) == {"bot_message"}
    assert await reasons(town.bram, back) == {"own_message"}
    assert await requested(town.acme, ts, back) == []
    assert await town.acme.thread(ts) == await town.acme.thread(back) == []


async def test_two_agents_that_were_asked_together_answer_once_each(town: Town) -> None:
    mara, bram = town.acme.first, town.bram.first
    ts = await town.acme.mention(f"and <@{bram.bot_user}>, who are you?")

    async def both_answered() -> bool:
        return len([each for each in await town.acme.thread(ts) if "You asked" in words_of(each)]) == 2

    await town.acme.until(both_answered)
    answers = await town.acme.thread(ts)
    assert {each["app_id"] for each in answers} == {mara.app.id, bram.app.id}
    for each in answers:
        other = town.bram if each["app_id"] == mara.app.id else town.acme
        assert await reasons(other, each["ts"]) <= {"bot_message", "own_message"}
    assert len(await requested(town.acme, ts, *(each["ts"] for each in answers))) == 2
    assert len(await town.acme.thread(ts)) == 2


async def test_another_programs_mention_is_not_answered(town: Town) -> None:
    first = town.acme.first
    watch = await town.acme.sim.ask(asks.AddApp(name="Watch", events=[]))
    there = await town.acme.sim.ask(asks.InstallApp(app_id=watch.id, team_id=first.team, channels=[first.support]))
    ts = await said_by(town.acme, there.bot_token, f"<@{first.bot_user}> the disk is full")
    assert await reasons(town.acme, ts, 2) == {"bot_message"}
    assert await town.acme.thread(ts) == []
