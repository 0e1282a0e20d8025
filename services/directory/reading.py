"""The two questions that a service asks Postgres: whose workspace it is, and what a tenant is."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from services.directory.database import Database
from services.directory.holding import ApiToken, Sealed, TenantRecord, Unknown, Workspace
from services.directory.tenancy import acting_for

_TENANT_OF = text("select tenant_id, revision from threadline.tenant_of(:channel_type, :workspace)")

# One statement, since each takes as long as all of them together.
_TENANT = text("""
    select r.revision, r.document,
        (select coalesce(jsonb_agg(to_jsonb(t) - 'tenant_id' order by t.id), '[]')
            from threadline.api_tokens t where t.tenant_id = r.tenant_id) as tokens,
        (select coalesce(jsonb_agg(jsonb_build_object(
                'app', i.app, 'workspace', i.workspace, 'bot_token', i.sealed_bot_token,
                'refresh_token', i.sealed_refresh_token, 'expires_at', i.expires_at) order by i.app, i.workspace), '[]')
            from threadline.installations i where i.tenant_id = r.tenant_id and i.origin = 'oauth') as sealed
    from threadline.revisions r where r.tenant_id = :tenant_id order by r.revision desc limit 1
""")


async def read_owner(database: Database, workspace: Workspace) -> str | Unknown:
    """Whose workspace it is: the one question that is asked before anybody is bound."""
    channel_type, its_id = workspace
    async with database.for_nobody() as connection:
        row = (await connection.execute(_TENANT_OF, {"channel_type": channel_type, "workspace": its_id})).one()
    return row.tenant_id or Unknown(row.revision)


async def read_tenant(database: Database, tenant_id: str) -> TenantRecord | None:
    """A tenant as its newest revision has it, with what programs sign in with and what OAuth left; bound to it."""
    with acting_for(tenant_id):
        async with database.for_tenant() as connection:
            row = (await connection.execute(_TENANT, {"tenant_id": tenant_id})).one_or_none()
    if row is None:
        return None
    return TenantRecord(
        tenant_id=tenant_id,
        revision=row.revision,
        document=row.document,
        tokens=tuple(ApiToken.model_validate(_with_bytes(each, "digest"), strict=False) for each in row.tokens),
        sealed=tuple(
            Sealed.model_validate(_with_bytes(each, "bot_token", "refresh_token"), strict=False) for each in row.sealed
        ),
    )


def _with_bytes(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    r"""Postgres writes bytes into JSON as `\x` and hexadecimal digits."""
    return {
        name: bytes.fromhex(value.removeprefix("\\x")) if name in names and value is not None else value
        for name, value in values.items()
    }
