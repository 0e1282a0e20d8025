"""Where supervised agents are told of in each workspace, and whether plain words there are heard.

Of a message Slack tells the channel by its id alone, and an id is of one workspace.
"""

from collections.abc import Iterator
from typing import Final

from schemas.slack import is_channel_name
from services.directory.document import AGENTS_CHANNEL, Tenant, TenantFacts

LOST: Final = "is a name, so agents do not hear plain words there; /agent-task, buttons and telling work"
FOUND: Final = "`threadline doctor` finds it"


def has_agents(tenant: Tenant | TenantFacts) -> bool:
    """Whether anything that is described has to do with supervised agents."""
    approving = tenant.anyone_may_approve or any("approve" in each.may for each in tenant.people)
    in_budget = any(each.what.startswith(("agent_", "agents_")) for each in tenant.quotas)
    named = tenant.agents_channel != AGENTS_CHANNEL or any(each.agents_channel for each in tenant.connections)
    return approving or in_budget or named


def cautions(tenant: Tenant) -> Iterator[str]:
    """What whoever describes the tenant should know of it."""
    if not has_agents(tenant):
        return
    subject = f"tenants.{tenant.id}.agents_channel: {tenant.agents_channel}"
    without = [each.workspace for each in tenant.connections if each.agents_channel is None]
    if is_channel_name(tenant.agents_channel) and (without or not tenant.connections):
        yield f"{subject} {LOST}. To have them heard, write the channel's id (C…) {where(tenant, *without)}; {FOUND}"
    elif len(without) > 1:
        yield (
            f"{subject} is of one workspace, and is meant in {' and '.join(without)}: where it is not shared, agents "
            f"are told of nowhere. Write the id (C…) of each one's own channel {where(tenant, *without)}"
        )
    for each in tenant.connections:
        if each.agents_channel is not None and is_channel_name(each.agents_channel):
            yield (
                f"tenants.{tenant.id}.connections.{each.workspace}.agents_channel: {each.agents_channel} {LOST}. To "
                f"have them heard, write the channel's id (C…) in its place; {FOUND}"
            )


def where(tenant: Tenant | TenantFacts, *workspaces: str) -> str:
    """The place for the id of each workspace's channel."""
    if len(tenant.connections) > 1:
        return f"as agents_channel of {' and of '.join(workspaces)} under connections"
    return "as the tenant's agents_channel"
