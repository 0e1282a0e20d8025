"""The directory's contents: whether anybody would be answered, and by which models."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from services.directory import history
from services.directory.check import check
from services.directory.document import TenantFacts
from services.directory.model import InstallationRow
from services.directory.owner import owner_database
from services.directory.yaml_text import as_yaml
from services.kit.fault import Fault
from services.kit.groups import DatabaseSettings, ModelSettings
from services.kit.settings import load
from threadline.checkup import models
from threadline.checkup.finding import Finding, fine, note, wrong

SUBJECT = "directory"
APPLY = "`threadline directory apply` takes a directory.yaml"


@dataclass(frozen=True)
class Contents:
    """What stands in the directory, as far as it could be read."""

    tenants: Mapping[str, TenantFacts] = field(default_factory=dict)
    sealed: Mapping[tuple[str, str, str], bytes] = field(default_factory=dict)
    """By tenant, app and workspace, the bot tokens that OAuth brought."""
    unread: Finding | None = None
    """Why it could not be read."""


async def read(settings: DatabaseSettings) -> Contents:
    """Everything, or why not."""
    if settings.database_owner_url is None:
        return Contents(unread=note(SUBJECT, "it cannot be looked into without THREADLINE_DATABASE_OWNER_URL"))
    row = InstallationRow
    question = select(row.tenant_id, row.app, row.workspace, row.sealed_bot_token)
    try:
        async with owner_database(settings) as owner, owner.begin() as connection:
            found = await history.whole(connection)
            sealed = (await connection.execute(question.where(row.sealed_bot_token.is_not(None)))).all()
    except Fault as fault:
        return Contents(unread=wrong(SUBJECT, f"it could not be read: {fault}", "mend that first"))
    tenants = {tenant_id: each.facts for tenant_id, each in found.items() if each.facts is not None}
    return Contents(
        tenants, {(tenant_id, app, workspace): token for tenant_id, app, workspace, token in sealed if token}
    )


def look(contents: Contents) -> Iterator[Finding]:
    """Tenants, what is hardly meant about them, and the keys of their models."""
    tenants = contents.tenants
    if contents.unread is not None:
        yield contents.unread
        return
    if not tenants:
        yield note(SUBJECT, "there is no tenant, so every workspace is unknown", APPLY)
        return
    yield fine(SUBJECT, f"{len(tenants)} tenant{'' if len(tenants) == 1 else 's'}: {', '.join(sorted(tenants))}")
    for hint in check(as_yaml(facts.described() for facts in tenants.values())).hints:
        yield note(SUBJECT, f"{hint.field}: {hint.what}", APPLY)
    yield from _models(tenants)


def _models(tenants: Mapping[str, TenantFacts]) -> Iterator[Finding]:
    asked = {
        name
        for facts in tenants.values()
        for agent in facts.agents
        for name in (agent.model, agent.fallback_model)
        if name is not None
    }
    yield from models.look_at_keys(asked, load(ModelSettings), "agents ask")
