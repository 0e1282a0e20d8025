"""Programs say something in Slack: each request once, in order, and nobody learns of another's."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bench.beds.inbox import Inbox
from schemas.command import OutboundMessage
from schemas.topics import RUNS_COMMANDS, SLACK_EFFECTS
from services.slack_sim.control import asks
from tests.conftest import fresh, topics_of
from tests.databases import Databases
from tests.responder.desk import Desk, opened

SECTION = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Deployed*"}}]
TEXT = {"type": "plain_text", "text": "Open log"}
APPROVE = {"type": "button", "action_id": "threadline:approval", "value": "a:b:approve", "text": TEXT}
"""It would approve, and does not say so."""
FORGERIES: list[dict[str, Any]] = [
    {"blocks": [{"type": "actions", "elements": [APPROVE]}]},
    {"blocks": [{"type": "divider", "block_id": "threadline:b"}]},
    {"post_id": "threadline:task:deploy"},
    {"thread_of": "threadline:task:deploy"},
    {"key": "threadline:task:deploy@7"},
]


@pytest.fixture(scope="module")
async def desk(brokers: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """One for all tests of the module that leave it as it was."""
    async with topics_of(fresh(brokers)) as kafka, opened(kafka, databases, tmp_path_factory.mktemp("desk")) as found:
        yield found
        said = found.responder.child.said()
        assert not any(token in said for token in found.tokens.values())
        assert "SECRETTEXT" not in said


async def test_it_is_said_in_a_channel_and_in_a_thread_with_blocks_or_without(desk: Desk) -> None:
    view = await desk.ended(await desk.say("SECRETTEXT plain"))
    assert (view["state"], view["channel"]) == ("confirmed", desk.first.support)
    assert [each["ts"] for each in await desk.said() if each["text"] == "SECRETTEXT plain"] == [view["ts"]]
    under = await desk.ended(await desk.say("below", thread_ts=view["ts"], blocks=SECTION, key="below-1"))
    assert (under["state"], under["thread_ts"], under["key"]) == ("confirmed", view["ts"], "below-1")
    (below,) = await desk.said(view["ts"])
    assert (below["text"], below["blocks"][0]["text"]["text"]) == ("below", "*Deployed*")
    ledger = [each.event for each in await Inbox(desk.kafka).found(SLACK_EFFECTS)]
    assert [each.type for each in ledger if each.effect.effect_id == view["effect_id"]] == [
        "effect.intended",
        "effect.confirmed",
    ]


async def test_a_post_is_changed_by_its_name(desk: Desk) -> None:
    first = await desk.ended(await desk.say("Deploying", post_id="deploy-1", blocks=SECTION))
    second = await desk.ended(await desk.say("Deployed", post_id="deploy-1"))
    assert second["ts"] == first["ts"]
    assert await desk.stands("Deploying") == 0
    (now,) = [each for each in await desk.said() if each["text"] == "Deployed"]
    assert not any(block["type"] == "section" for block in now.get("blocks") or ())
    under = await desk.ended(await desk.say("Deployed", post_id="deploy-1", thread_ts=first["ts"]))
    assert under["ts"] != first["ts"], "in another thread the name is another's"
    changed = await desk.ended(await desk.say("Gone", post_id="deploy-1", thread_ts=first["ts"], blocks=SECTION))
    assert changed["ts"] == under["ts"]
    assert await desk.stands("Gone", first["ts"]) == 1


async def test_a_message_is_said_under_the_one_that_is_named_and_changed_there(desk: Desk) -> None:
    told = [
        await desk.say("Deploying", post_id="head", blocks=SECTION, color="#ecb22e"),
        await desk.say("Step 1", thread_of="head", post_id="step", blocks=SECTION, color="#2EB67D"),
        await desk.say("Alone", thread_of="head"),
        await desk.say("Step 2", thread_of="head", post_id="step"),
    ]
    head, step, _, again = [await desk.ended(each) for each in told]
    below = await desk.said(head["ts"])
    assert [(each["text"], "attachments" in each) for each in below] == [("Step 2", False), ("Alone", False)]
    assert (again["ts"], again["thread_of"], again["post_id"]) == (step["ts"], "head", "step")
    (shown,) = [each for each in await desk.said() if each["ts"] == head["ts"]]
    assert shown["attachments"][0]["color"] == "ecb22e"
    assert shown["attachments"][0]["blocks"][0]["text"]["text"] == "*Deployed*"
    await desk.ended(await desk.say("Deployed", post_id="head", blocks=SECTION))
    (shown,) = [each for each in await desk.said() if each["ts"] == head["ts"]]
    assert (shown.get("attachments"), shown["blocks"][0]["type"]) == (None, "section")


async def test_a_message_under_one_that_does_not_stand_is_said_in_the_channel(desk: Desk) -> None:
    view = await desk.ended(await desk.say("Homeless", thread_of="never said"))
    assert (view["state"], await desk.stands("Homeless")) == ("confirmed", 1)
    assert "a program's message whose thread does not stand is said in the channel" in desk.responder.child.said()


async def test_a_post_whose_message_is_gone_is_posted_anew(desk: Desk) -> None:
    first = await desk.ended(await desk.say("One", post_id="gone"))
    client = {"Authorization": f"Bearer {desk.first.bot_token}"}
    gone = {"channel": desk.first.support, "ts": first["ts"]}
    async with desk.session.post(f"{desk.sim.api_url}chat.delete", json=gone, headers=client) as answer:
        assert (await answer.json())["ok"]
    second = await desk.ended(await desk.say("Two", post_id="gone"))
    third = await desk.ended(await desk.say("Three", post_id="gone"))
    assert (second["state"], third["state"]) == ("confirmed", "confirmed")
    assert third["ts"] == second["ts"] != first["ts"]
    assert (await desk.stands("Two"), await desk.stands("Three")) == (0, 1)


async def test_a_post_whose_first_was_refused_is_posted_by_the_next(desk: Desk) -> None:
    wrong = await desk.ended(await desk.say("x", post_id="refused", blocks=[{"type": "no such block"}]))
    assert (wrong["state"], wrong["error"]) == ("failed", "invalid_blocks")
    right = await desk.ended(await desk.say("Right", post_id="refused"))
    assert right["state"] == "confirmed"


async def test_quick_changes_come_in_their_order(desk: Desk) -> None:
    first = await desk.ended(await desk.say("0 %", post_id="progress"))
    effects = [await desk.say(f"{number}0 %", post_id="progress") for number in range(1, 11)]
    views = [await desk.ended(effect) for effect in effects]
    assert {view["ts"] for view in views} == {first["ts"]}
    calls = [json.dumps(each.arguments) for each in await desk.sim.calls("chat.update")]
    shown = [number for call in calls for number in range(1, 11) if f'"{number}0 %"' in call]
    assert shown == list(range(1, 11))
    assert await desk.stands("100 %") == 1


async def test_the_same_key_is_the_same_message_and_no_other(desk: Desk) -> None:
    body = {"channel": desk.first.support, "text": "Once", "blocks": [{"type": "divider", "block_id": "b"}]}
    status, first = await desk.ask("/v1/messages", {**body, "key": "once"})
    assert status == 202
    assert first["key"] == "once"
    turned = {**body, "blocks": [{"block_id": "b", "type": "divider"}]}
    status, again = await desk.ask("/v1/messages", turned, **{"Idempotency-Key": "once"})
    assert (status, again["effect_id"]) == (202, first["effect_id"])
    status, other = await desk.ask("/v1/messages", {**body, "text": "Another", "key": "once"})
    assert (status, other["error"]) == (409, "key_used")
    await desk.ended(first["effect_id"])
    status, again = await desk.ask("/v1/messages", {**body, "key": "once"})
    assert (status, again["state"]) == (202, "confirmed")
    await desk.ended(await desk.say("behind it"))
    assert (await desk.stands("Once"), await desk.stands("Another")) == (1, 0)


async def test_nothing_is_said_in_the_name_of_threadline(desk: Desk) -> None:
    body = {"channel": desk.first.support, "text": "Forged"}
    told = [await desk.ask("/v1/messages", {"key": "forged", **body, **each}) for each in FORGERIES]
    told.append(await desk.ask("/v1/messages", body, **{"Idempotency-Key": "threadline:task:deploy@7"}))
    assert [(status, answer["error"]) for status, answer in told] == [(400, "reserved")] * 6
    assert "action_id in blocks begins with threadline:" in told[0][1]["message"]
    assert "nothing was taken in" in told[0][1]["message"]
    mine = [{"type": "actions", "elements": [{**APPROVE, "action_id": "log"}]}]
    honest = await desk.say("Honest", key="forged", post_id="task:deploy", blocks=mine)
    assert (await desk.ended(honest))["state"] == "confirmed", "the key is free"
    asked = [each.event for each in await Inbox(desk.kafka).found(RUNS_COMMANDS)]
    said = [each.text for each in asked if isinstance(each, OutboundMessage)]
    assert ("Honest" in said, "Forged" in said) == (True, False)


async def test_of_requests_at_the_same_moment_one_is_taken(desk: Desk) -> None:
    body = {"channel": desk.first.support, "text": "Together", "key": "together"}
    same = await asyncio.gather(*(desk.ask("/v1/messages", body) for _ in range(8)))
    assert [status for status, _ in same] == [202] * 8
    assert len({answer["effect_id"] for _, answer in same}) == 1
    bodies = [{**body, "text": f"Either {number}", "key": "either"} for number in range(4)]
    told = await asyncio.gather(*(desk.ask("/v1/messages", each) for each in bodies))
    assert sorted(status for status, _ in told) == [202, 409, 409, 409]
    await desk.ended(same[0][1]["effect_id"])
    await desk.ended(next(answer["effect_id"] for status, answer in told if status == 202))
    assert await desk.stands("Together") == 1
    assert sum(each["text"].startswith("Either") for each in await desk.said()) == 1
    commands = [each.event for each in await Inbox(desk.kafka).found(RUNS_COMMANDS)]
    assert sum(isinstance(each, OutboundMessage) and each.text == "Together" for each in commands) == 1


@pytest.mark.parametrize(
    ("program", "changes", "refusal"),
    [
        ("nobody", {}, (401, "not_signed_in")),
        ("runner", {}, (403, "not_for_this")),
        ("acme", {"text": ""}, (400, "wrong_body")),
        ("acme", {"text": None}, (400, "wrong_body")),
        ("acme", {"text": "x" * 40_001}, (400, "wrong_body")),
        ("acme", {"text": "\ud800"}, (400, "wrong_body")),
        ("acme", {"channel": "#support"}, (400, "wrong_body")),
        ("acme", {"channel": "U0BOSS"}, (400, "wrong_body")),
        ("acme", {"blocks": "none"}, (400, "wrong_body")),
        ("acme", {"blocks": ["none"]}, (400, "wrong_body")),
        ("acme", {"blocks": [{"type": "divider"}] * 51}, (400, "wrong_body")),
        ("acme", {"blocks": [{"type": "x" * (300 << 10)}]}, (413, "too_large")),
        ("acme", {"blocks": [{"type": "x" * (600 << 10)}]}, (413, "too_large")),
        ("acme", {"thread_ts": "yesterday"}, (400, "wrong_body")),
        ("acme", {"post_id": "é"}, (400, "wrong_body")),
        ("acme", {"thread_ts": "1.1", "thread_of": "head"}, (400, "wrong_body")),
        ("acme", {"color": "#2eb67d"}, (400, "wrong_body")),
        ("acme", {"color": "good", "blocks": [{"type": "divider"}]}, (400, "wrong_body")),
        ("acme", {"tenant": "globex"}, (400, "wrong_body")),
        ("acme", {"workspace": "T0GLOBEX"}, (422, "no_connection")),
        ("globex", {}, (422, "which_connection")),
    ],
)
async def test_what_is_wrong_is_told(
    desk: Desk, program: str, changes: dict[str, Any], refusal: tuple[int, str]
) -> None:
    status, answer = await desk.ask("/v1/messages", {"channel": "C0HELP", "text": "x", **changes}, program)
    assert (status, answer["error"]) == refusal
    assert answer["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"{",
        b"[" * 100_000,
        b'{"channel": "C0", "text": "x", "blocks": [{"a": NaN}]}',
        b'{"channel": "C0", "text": "x", "blocks": [{"a": 1e999}]}',
    ],
)
async def test_rubbish_is_told(desk: Desk, body: bytes) -> None:
    status, answer = await desk.ask("/v1/messages", body)
    assert (status, answer["error"]) == (400, "wrong_body")


async def test_a_body_that_is_not_what_its_headers_say_is_told(desk: Desk) -> None:
    status, answer = await desk.ask("/v1/messages", b"no gzip", **{"Content-Encoding": "gzip"})
    assert (status, answer["error"]) == (400, "wrong_body")


async def test_a_token_that_is_wrong_or_forged_is_told(desk: Desk) -> None:
    for token in ("tl_acme_0123456789ab_" + "0" * 64, desk.tokens["acme"][:-1], "x"):
        headers = {"Authorization": f"Bearer {token}"}
        status, answer = await desk.ask("/v1/messages", {}, "nobody", **headers)
        assert (status, answer["error"]) == (401, "not_signed_in")


async def test_another_tenants_message_is_not_there(desk: Desk) -> None:
    effect = await desk.say("ours")
    await desk.ended(effect)
    status, answer = await desk.ask(f"/v1/effects/{effect}", program="globex", method="GET")
    assert (status, answer["error"]) == (404, "unknown_effect")
    assert (await desk.ask("/v1/effects/nothing", method="GET"))[0] == 404
    assert (await desk.ask(f"/v1/effects/{effect}", program="nobody", method="GET"))[0] == 401


async def test_a_channel_that_is_not_there_is_told_by_its_effect(desk: Desk) -> None:
    view = await desk.ended(await desk.say("x", channel="C0NOWHERE"))
    assert (view["state"], view["error"]) == ("failed", "channel_not_found")


async def test_the_longest_message_stands_on_the_topics(desk: Desk) -> None:
    filled = [{"type": "section", "text": {"type": "mrkdwn", "text": '"\\' * 60_000}}]
    effect = await desk.say("\u0001" * 40_000, blocks=filled)
    assert (await desk.ended(effect))["state"] == "failed", "Slack takes no such block, and says so"


@pytest.mark.parametrize("fault", ["lost_after", "status", "ratelimited"])
async def test_trouble_on_the_way_posts_it_once(desk: Desk, fault: Any) -> None:
    await desk.sim.ask(asks.FailCalls(method="chat.postMessage", kind=fault, times=1))
    view = await desk.ended(await desk.say(f"through {fault}"))
    assert view["state"] == "confirmed"
    assert await desk.stands(f"through {fault}") == 1
