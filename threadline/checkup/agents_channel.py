"""The agents' channel: whether what people write there in plain words is heard, and which id has it heard."""

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from services.directory.agents_channel import LOST, caution, has_agents, is_only_named
from services.directory.document import TenantFacts
from services.kit.slack_channels import channel_named
from services.kit.slack_errors import code_of
from threadline.checkup.finding import Finding, note

WHERE_IDS_ARE = "its id (C…, in Slack at the end of the channel's details)"


async def look(subject: str, tenant: TenantFacts, client: AsyncWebClient) -> list[Finding]:
    """Asks Slack for the channel that the directory only names. Who has no agents needs none, and knows if there is."""
    if not is_only_named(tenant):
        return []
    name = tenant.agents_channel
    lost = f"agents_channel: {name} {LOST}"
    try:
        found = await channel_named(client, name)
    except SlackApiError as error:
        mend = f"write {WHERE_IDS_ARE} as agents_channel into directory.yaml{caution(tenant)}"
        asked = [note(subject, f"{lost}. Slack does not list channels ({code_of(error)})", mend)]
        return asked if has_agents(tenant) else []
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        asked = [note(subject, f"{lost}. Slack did not list channels ({type(error).__name__})")]
        return asked if has_agents(tenant) else []
    if found is None:
        missing = note(
            subject,
            f"the app sees no channel {name}, the tenant's agents_channel, so what agents do is told nowhere",
            f"make it and invite the app, then write {WHERE_IDS_ARE} as agents_channel into directory.yaml",
        )
        return [missing] if has_agents(tenant) else []
    invite = "" if found.is_in else "invite the app to it, and "
    mend = (
        f"{invite}write agents_channel: {found.id} into directory.yaml{caution(tenant)}; `threadline directory apply`"
    )
    return [note(subject, lost, mend)]
