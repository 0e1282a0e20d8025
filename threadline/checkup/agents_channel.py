"""The agents' channel of a workspace: whether plain words are heard there, and by which id they would be."""

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from schemas.slack import is_channel_name
from services.directory.agents_channel import LOST, has_agents, where
from services.directory.document import TenantFacts
from services.kit.slack_channels import channel_named
from services.kit.slack_errors import code_of
from threadline.checkup.finding import Finding, note

ITS_ID = "its id (C…, in Slack at the end of the channel's details)"


async def look(subject: str, tenant: TenantFacts, workspace: str, client: AsyncWebClient) -> list[Finding]:
    """Asks Slack for the channel that the directory only names. Who has no agents needs none, and knows if there is."""
    name = tenant.agents_channel_in(workspace)
    if not is_channel_name(name):
        return []
    lost, place = f"agents_channel: {name} {LOST}", f"{where(tenant, workspace)} into directory.yaml"
    try:
        found = await channel_named(client, name)
    except SlackApiError as error:
        asked = [note(subject, f"{lost}. Slack does not list channels ({code_of(error)})", f"write {ITS_ID} {place}")]
        return asked if has_agents(tenant) else []
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        asked = [note(subject, f"{lost}. Slack did not list channels ({type(error).__name__})")]
        return asked if has_agents(tenant) else []
    if found is None:
        missing = note(
            subject,
            f"the app sees no channel {name}, the tenant's agents_channel, so what agents do is told nowhere",
            f"make it and invite the app, then write {ITS_ID} {place}",
        )
        return [missing] if has_agents(tenant) else []
    invite = "" if found.is_in else "invite the app to it, and "
    return [note(subject, lost, f"{invite}write {found.id} {place}; `threadline directory apply`")]
