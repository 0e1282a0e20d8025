"""The directory's contents: whether anybody would be answered, and by which models."""

from collections.abc import Iterator, Mapping

from services.directory import history
from services.directory.check import check
from services.directory.document import TenantFacts
from services.directory.owner import owner_database
from services.directory.yaml_text import as_yaml
from services.kit.fault import Fault
from services.kit.groups import DatabaseSettings, ModelSettings
from services.kit.settings import load
from threadline.checkup.finding import Finding, fine, note, wrong

SUBJECT = "directory"
APPLY = "`threadline directory apply` takes a directory.yaml"


async def read(settings: DatabaseSettings) -> dict[str, TenantFacts]:
    """Every tenant; none where the directory cannot be read, which another check tells."""
    if settings.database_owner_url is None:
        return {}
    try:
        async with owner_database(settings) as owner, owner.begin() as connection:
            found = await history.whole(connection)
    except Fault:
        return {}
    return {tenant_id: each.facts for tenant_id, each in found.items() if each.facts is not None}


def look(tenants: Mapping[str, TenantFacts]) -> Iterator[Finding]:
    """Tenants, what is hardly meant about them, and the keys of their models."""
    if not tenants:
        yield note(SUBJECT, "there is no tenant, so every workspace is unknown", APPLY)
        return
    yield fine(SUBJECT, f"{len(tenants)} tenant{'' if len(tenants) == 1 else 's'}: {', '.join(sorted(tenants))}")
    for hint in check(as_yaml(facts.described() for facts in tenants.values())).hints:
        yield note(SUBJECT, f"{hint.field}: {hint.what}", APPLY)
    yield from _models(tenants)


def _models(tenants: Mapping[str, TenantFacts]) -> Iterator[Finding]:
    settings = load(ModelSettings)
    asked = {
        name.partition(":")[0]
        for facts in tenants.values()
        for agent in facts.agents
        for name in (agent.model, agent.fallback_model)
        if name is not None
    }
    if "openai" in asked and settings.openai_api_key is None:
        if settings.openai_base_url is None:
            yield wrong("models", "agents ask openai: models, and there is no key", "set OPENAI_API_KEY")
        else:
            yield note("models", f"OPENAI_API_KEY is not set; {settings.openai_base_url} may do without", "set it")
    if "anthropic" in asked and settings.anthropic_api_key is None:
        yield wrong("models", "agents ask anthropic: models, and there is no key", "set ANTHROPIC_API_KEY")
