"""Whether plain words in a tenant's agents' channel are heard: of a message Slack tells the channel by its id alone."""

from services.directory.document import AGENTS_CHANNEL, Tenant, TenantFacts

LOST = "is a name, so agents do not hear plain words there; /agent-task, buttons and telling work"
IN_ONE_WORKSPACE = " (an id is of one workspace: in the tenant's others nothing could be told then)"


def is_only_named(tenant: Tenant | TenantFacts) -> bool:
    """Whether the directory has the channel's name, and not its id."""
    return tenant.agents_channel.startswith("#")


def has_agents(tenant: Tenant | TenantFacts) -> bool:
    """Whether anything that is described has to do with supervised agents."""
    approving = tenant.anyone_may_approve or any("approve" in each.may for each in tenant.people)
    in_budget = any(each.what.startswith(("agent_", "agents_")) for each in tenant.quotas)
    return approving or in_budget or tenant.agents_channel != AGENTS_CHANNEL


def unheard(tenant: Tenant) -> str | None:
    """What whoever describes the tenant should know of it."""
    if not is_only_named(tenant) or not has_agents(tenant):
        return None
    return (
        f"tenants.{tenant.id}.agents_channel: {tenant.agents_channel} {LOST}. To have them heard, write the channel's "
        f"id (C…) in its place{caution(tenant)}; `threadline doctor` finds it"
    )


def caution(tenant: Tenant | TenantFacts) -> str:
    """What an id costs a tenant with several workspaces."""
    return IN_ONE_WORKSPACE if len(tenant.connections) > 1 else ""
