"""The two questions that a service asks Postgres: whose workspace it is, and what a tenant is."""

import json
from collections.abc import Mapping
from typing import Any

from services.directory.holding import ApiToken, Sealed, TenantRecord, Unknown, Workspace
from services.directory.service import ServiceDatabase
from services.directory.tenancy import acting_for

_TENANT_OF = "select tenant_id, revision from threadline.tenant_of($1, $2)"

# One statement, since each takes as long as all of them together.
_TENANT = """
    select r.revision, r.document,
        (select coalesce(jsonb_agg(to_jsonb(t) - array['tenant_id', 'good_for_s'] order by t.id), '[]')
            from threadline.api_tokens t where t.tenant_id = r.tenant_id) as tokens,
        (select coalesce(jsonb_agg(jsonb_build_object(
                'app', i.app, 'workspace', i.workspace, 'bot_token', i.sealed_bot_token,
                'refresh_token', i.sealed_refresh_token, 'expires_at', i.expires_at) order by i.app, i.workspace), '[]')
            from threadline.installations i where i.tenant_id = r.tenant_id and i.origin = 'oauth') as sealed
    from threadline.revisions r where r.tenant_id = $1 order by r.revision desc limit 1
"""


async def read_owner(database: ServiceDatabase, workspace: Workspace) -> str | Unknown:
    """Whose workspace it is: the one question that is asked before anybody is bound."""
    channel_type, its_id = workspace
    if not _can_be_stored(its_id):
        return Unknown(0)
    async with database.for_nobody() as connection:
        row = await connection.fetchrow(_TENANT_OF, channel_type, its_id)
    return (row and row["tenant_id"]) or Unknown(row["revision"] if row else 0)


async def read_tenant(database: ServiceDatabase, tenant_id: str) -> TenantRecord | None:
    """A tenant as its newest revision has it, with what programs sign in with and what OAuth left; bound to it."""
    if not _can_be_stored(tenant_id):
        return None
    with acting_for(tenant_id):
        async with database.for_tenant() as connection:
            row = await connection.fetchrow(_TENANT, tenant_id)
    if row is None:
        return None
    return TenantRecord(
        tenant_id=tenant_id,
        revision=row["revision"],
        document=json.loads(row["document"]) if row["document"] else None,
        tokens=tuple(
            ApiToken.model_validate(_with_bytes(each, "digest"), strict=False) for each in json.loads(row["tokens"])
        ),
        sealed=tuple(
            Sealed.model_validate(_with_bytes(each, "bot_token", "refresh_token"), strict=False)
            for each in json.loads(row["sealed"])
        ),
    )


def _can_be_stored(text: str) -> bool:
    """What Postgres takes for text at all; an id of anything else is nobody's."""
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def _with_bytes(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    r"""Postgres writes bytes into JSON as `\x` and hexadecimal digits."""
    return {
        name: bytes.fromhex(value.removeprefix("\\x")) if name in names and value is not None else value
        for name, value in values.items()
    }
