"""Finds a channel by its name: Slack tells the ids of channels only in a list of all that an app may see."""

from dataclasses import dataclass
from typing import Any, Final

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from services.kit.slack_errors import code_of

PAGE: Final = 999
"""Slack wants fewer than a thousand."""
KINDS: Final = ("public_channel,private_channel", "public_channel")
"""What the app may see; only the second where it has no scope for the first."""


@dataclass(frozen=True)
class Channel:
    """A channel, and whether the app is in it."""

    id: str
    is_in: bool


async def channel_named(client: AsyncWebClient, name: str) -> Channel | None:
    """The channel with this name, which has # before it; none where the app sees no such one."""
    for kinds in KINDS:
        try:
            return await _listed(client, name.removeprefix("#"), kinds)
        except SlackApiError as error:
            if code_of(error) != "missing_scope" or kinds == KINDS[-1]:
                raise
    return None


async def _listed(client: AsyncWebClient, name: str, kinds: str) -> Channel | None:
    cursor = ""
    while True:
        said = await client.conversations_list(types=kinds, exclude_archived=True, limit=PAGE, cursor=cursor)
        for each in said.get("channels") or ():
            if each.get("name") == name:
                return Channel(str(each["id"]), is_in=each.get("is_member") is True)
        more: Any = said.get("response_metadata") or {}
        cursor = more.get("next_cursor") or ""
        if not cursor:
            return None
