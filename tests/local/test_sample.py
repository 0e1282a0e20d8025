"""Whose workspace the tokens are of."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from services.kit.groups import SlackSettings
from services.kit.http import served
from services.local.home import LocalFault
from services.local.sample import agents_channel_of, workspace_of
from threadline.checkup.machine import look_at_workspace

WHO = {"ok": True, "team_id": "T1", "team": "Acme", "user_id": "U1", "bot_id": "B1"}


@asynccontextmanager
async def told_by(answers: Mapping[str, Mapping[str, Any]], app_token: str) -> AsyncIterator[SlackSettings]:
    """A Slack that says this of its methods, and tokens for it."""
    slack = web.Application()

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(answers[request.match_info["method"]])

    slack.router.add_route("*", "/api/{method}", answer)
    async with served(slack, "127.0.0.1", 0) as address:
        yield SlackSettings(
            slack_api_url=f"{address}/api/",
            slack_bot_token=SecretStr("xoxb-1"),
            slack_app_token=SecretStr(app_token),
        )


async def test_the_app_is_named_by_its_token() -> None:
    async with told_by({"auth.test": WHO}, "xapp-1-A042-1-x") as settings:
        assert (await workspace_of(settings)).app == "A042"


async def test_where_the_token_names_none_slack_is_asked() -> None:
    answers = {"auth.test": WHO, "bots.info": {"ok": True, "bot": {"app_id": "A7"}}}
    async with told_by(answers, "xapp-odd") as settings:
        assert (await workspace_of(settings)).app == "A7"
        assert (await workspace_of(settings.model_copy(update={"slack_app_id": "A1"}))).app == "A1"


@pytest.mark.parametrize("answer", [{"ok": False, "error": "missing_scope"}, {"ok": True, "bot": {}}, {"ok": True}])
async def test_where_slack_does_not_tell_either_it_says_what_to_set(answer: dict[str, Any]) -> None:
    async with told_by({"auth.test": WHO, "bots.info": answer}, "xapp-odd") as settings:
        with pytest.raises(LocalFault, match="set SLACK_APP_ID"):
            await workspace_of(settings)


async def test_a_check_tells_it_before_a_start_does() -> None:
    opened: dict[str, Any] = {"ok": True, "url": "ws://127.0.0.1:9"}
    answers = {"auth.test": WHO, "apps.connections.open": opened, "bots.info": {"ok": True}}
    async with told_by(answers, "xapp-odd") as settings:
        (wrong,) = [each for each in await look_at_workspace(settings, {}) if each.state == "wrong"]
        assert wrong.what == "SLACK_APP_TOKEN does not say which app it is of"
        assert "set SLACK_APP_ID" in (wrong.mend or "")
        named = settings.model_copy(update={"slack_app_id": "A1"})
        assert "wrong" not in {each.state for each in await look_at_workspace(named, {})}


@pytest.mark.parametrize(
    ("answer", "channel"),
    [
        ({"ok": True, "channels": [{"id": "C7", "name": "agent-supervisory"}]}, "C7"),
        ({"ok": True, "channels": [{"id": "C8", "name": "agent-supervisory-old"}]}, "#agent-supervisory"),
        ({"ok": False, "error": "missing_scope"}, "#agent-supervisory"),
    ],
)
async def test_its_agents_channel_is_named_by_the_id_where_slack_tells_one(
    answer: dict[str, Any], channel: str
) -> None:
    async with told_by({"conversations.list": answer}, "xapp-1-A042-1-x") as settings:
        assert await agents_channel_of(settings) == channel


async def test_a_slack_that_does_not_answer_is_told() -> None:
    nowhere = SlackSettings(
        slack_api_url="http://127.0.0.1:9/", slack_bot_token=SecretStr("xoxb-1"), slack_app_token=SecretStr("xapp-odd")
    )
    with pytest.raises(LocalFault, match="does not answer as it should"):
        await workspace_of(nowhere)
