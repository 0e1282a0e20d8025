"""A thread is followed without a mention for as long as people go on in it, and for half an hour after.

Nobody waits that long here: what was said first is put on the topic as ingress would have done it then.
"""

from datetime import timedelta
from typing import Any

from bench.beds.inbox import Inbox
from schemas.decision import Decision, Dispatched, Ignored
from schemas.envelope import Received, SlackEnvelope
from schemas.slack import connection_of, event_id_of
from services.kit.clock import SystemClock
from services.slack_sim.control import asks
from services.slack_sim.world.sample import EVENTS
from tests.deciding import mention, message
from tests.pipeline.traces import decided
from tests.responder.conftest import Talk, Talks, is_under_way, words_of
from tests.samples import event_callback


async def came(talk: Talk, event: dict[str, Any], minutes_ago: int) -> Decision:
    """Slack's delivery came some time ago. Gives what was made of it."""
    first, at = talk.first, SystemClock().now() - timedelta(minutes=minutes_ago)
    authorization = {"team_id": first.team, "user_id": first.bot_user, "is_bot": True, "is_enterprise_install": False}
    payload = event_callback(
        {**event, "user": first.you, "channel": first.support},
        team_id=first.team,
        api_app_id=first.app.id,
        event_id=f"Ev{minutes_ago}",
        authorizations=[authorization],
    )
    envelope = SlackEnvelope(
        at=at,
        kind="events_api",
        connection=connection_of(payload, first.app.id),
        event_id=event_id_of("events_api", payload, None, first.app.id),
        received=Received(transport="socket", received_at=at, ingress="earlier"),
        payload=payload,
    )
    await Inbox(talk.kafka).put_all([envelope])
    [made] = await decided(talk, event["ts"])
    return made


async def test_a_thread_is_followed_without_a_mention_until_it_was_idle_for_thirty_minutes(talks: Talks) -> None:
    async with talks() as talk:
        first = talk.first
        await talk.sim.ask(asks.ChangeApp(app_id=first.app.id, events=[]))
        root = await talk.mention("what is up?")
        more = await talk.sim.say(first.you, first.support, "and what else?", root)
        asked = mention(f"<@{first.bot_user}> what is up?", root)
        assert isinstance(await came(talk, asked, minutes_ago=59), Dispatched)
        followed = await came(talk, message("and what else?", more, thread_ts=root), minutes_ago=31)
        assert isinstance(followed, Dispatched)
        assert (followed.trigger, followed.agent_id) == ("thread", "mara")

        async def both_answered() -> bool:
            ours = [each for each in await talk.thread(root) if each.get("app_id") and not is_under_way(each)]
            return ["> what is up?" in words_of(each) for each in ours] == [True, False]

        await talk.until(both_answered)
        await talk.sim.ask(asks.ChangeApp(app_id=first.app.id, events=list(EVENTS)))
        late = await talk.sim.say(first.you, first.support, "still there?", root)
        assert await decided(talk, late) == [Ignored(reason="not_addressed")]
        again = await talk.mention("still there?", thread=root)
        await talk.answer(root, "> still there?", after=again)
        on = await talk.sim.say(first.you, first.support, "good", root)
        await talk.answer(root, "> good", after=on)
