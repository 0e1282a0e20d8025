"""The workspace that the product is tried in: whose token it is, and a sample tenant where nobody owns it yet."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select

from services.directory.apply import How, apply
from services.directory.document import AGENTS_CHANNEL, Agent, Connection, Document, Installation, Tenant
from services.directory.model import ChannelConnectionRow
from services.directory.owner import OwnerDatabase
from services.ingress.apps import APP_IN_TOKEN
from services.kit.groups import SlackSettings
from services.kit.quiet import QUIET
from services.kit.slack_channels import channel_named
from services.kit.slack_errors import code_of
from services.local.home import LocalFault

SAMPLE: Final = "sample"
MARA: Final = Agent(
    id="mara", name="Mara", role="Customer Support", persona="Professional and empathetic", default=True
)


@dataclass(frozen=True)
class Workspace:
    """An app in a workspace, as its own tokens say."""

    team: str
    name: str
    app: str
    bot_user: str


def tenant_of(team: str) -> str:
    """The sample tenant of a workspace."""
    return f"{SAMPLE}-{team.lower()}"


async def workspace_of(settings: SlackSettings) -> Workspace:
    """Asks Slack whose the bot token is."""
    bot, app = settings.slack_bot_token, settings.slack_app_token
    if bot is None or app is None:
        raise LocalFault("SLACK_BOT_TOKEN and SLACK_APP_TOKEN belong together: set both, or none")
    named = APP_IN_TOKEN.match(app.get_secret_value())
    client = AsyncWebClient(token=bot.get_secret_value(), base_url=settings.slack_api_url, logger=QUIET)
    try:
        said = await client.auth_test()
        app_id = settings.slack_app_id or (named[1] if named else await _app_of(client, said.get("bot_id")))
    except SlackApiError as error:
        raise LocalFault(f"Slack does not take SLACK_BOT_TOKEN: {code_of(error)}") from None
    except (OSError, TimeoutError, KeyError, ValueError) as error:
        raise LocalFault(
            f"Slack at {settings.slack_api_url} does not answer as it should ({type(error).__name__}); is the address "
            "right (SLACK_API_URL), and the network there?"
        ) from None
    return Workspace(said["team_id"], said.get("team") or said["team_id"], app_id, said["user_id"])


async def _app_of(client: AsyncWebClient, bot: str | None) -> str:
    """Which app a bot is of, where Slack tells: with the manifest's scopes it does not."""
    app: object = None
    if bot is not None:
        with suppress(SlackApiError):
            app = ((await client.bots_info(bot=bot)).get("bot") or {}).get("app_id")
    if isinstance(app, str):
        return app
    raise LocalFault(
        "SLACK_APP_TOKEN does not say which app it is of; set SLACK_APP_ID (A…, in the app's settings under Basic "
        "Information, App ID)"
    )


async def agents_channel_of(settings: SlackSettings) -> str:
    """The agents' channel by its id, so that plain words are heard there; by its name where Slack tells no id yet."""
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token is not None else None
    client = AsyncWebClient(token=token, base_url=settings.slack_api_url, logger=QUIET)
    try:
        found = await channel_named(client, AGENTS_CHANNEL)
    except (
        SlackApiError,
        aiohttp.ClientError,
        OSError,
        TimeoutError,
    ):  # the doctor asks once more, and says what was refused
        found = None
    return found.id if found is not None else AGENTS_CHANNEL


async def owner_of(owner: OwnerDatabase, workspace: Workspace) -> str | None:
    """The tenant that has the workspace, if any."""
    async with owner.begin() as connection:
        question = select(ChannelConnectionRow.tenant_id).where(ChannelConnectionRow.workspace == workspace.team)
        found: str | None = await connection.scalar(question)
    return found


async def make_sample(owner: OwnerDatabase, workspace: Workspace, settings: SlackSettings, *, is_real: bool) -> str:
    """Gives the workspace, which nobody owns, to the sample tenant: who that is.

    In the Slack of this machine anybody may approve, to try it; in a real one somebody must be named first.
    """
    tenant = Tenant(
        id=tenant_of(workspace.team),
        name=f"{workspace.name} (sample)"[:80],
        connections=(Connection(workspace=workspace.team),),
        installations=(Installation(app=workspace.app, workspace=workspace.team, bot_user=workspace.bot_user),),
        agents=(MARA,),
        agents_channel=await agents_channel_of(settings),
        anyone_may_approve=not is_real,
    )
    await apply(owner, Document(version=1, tenants=(tenant,)), How(by="threadline up"))
    return tenant.id
