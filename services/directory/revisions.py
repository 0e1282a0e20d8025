"""Reading the directory as it was: any revision of any tenant, for as long as the database lives."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from services.directory.document import TenantFacts
from services.directory.service import ServiceDatabase
from services.directory.tenancy import acting_for
from services.kit.fault import Fault

KEPT = 1000

_AT = """
    select revision, document from threadline.revisions
    where tenant_id = $1 and revision <= $2 order by revision desc limit 1
"""


class UnreadableRevision(Fault):
    """A revision that this version cannot read: a newer one wrote it."""


@dataclass(frozen=True)
class Revision:
    """A tenant after one change."""

    number: int
    tenant_id: str
    at: datetime
    by: str
    facts: TenantFacts | None
    """None from when the tenant is gone."""


def facts_of(document: Mapping[str, Any] | None, number: int) -> TenantFacts | None:
    """A tenant from a revision's document. Fields that this version does not know are left out."""
    if document is None:
        return None
    try:
        return TenantFacts.model_validate(document, extra="ignore", strict=False)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, each["loc"])) for each in error.errors(include_input=False))
        raise UnreadableRevision(
            f"revision {number} of the directory, of the tenant {document.get('id')}, cannot be read by this version "
            f"({fields}): a newer one wrote it, or a row was changed by hand. What is known from before is kept"
        ) from None


class RevisionReader:
    """Past revisions for services. The latest that were asked for are kept: a revision never changes."""

    def __init__(self, database: ServiceDatabase) -> None:
        self._database = database
        self._known: dict[tuple[str, int], TenantFacts | None] = {}

    async def facts_at(self, tenant_id: str, revision: int) -> TenantFacts | None:
        """The tenant as that revision of the directory had it; none where it was not there."""
        key = (tenant_id, revision)
        if key in self._known:
            return self._known[key]
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                row = await connection.fetchrow(_AT, tenant_id, revision)
        if row is None or row["document"] is None:
            return None
        facts = self._known[key] = facts_of(json.loads(row["document"]), row["revision"])
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        return facts

    async def tenant_of_at(self, workspace: str, revision: int, channel_type: str = "slack") -> str | None:
        """Whose workspace it was."""
        question = "select threadline.tenant_of_at($1, $2, $3)"
        async with self._database.for_nobody() as connection:
            tenant_id: str | None = await connection.fetchval(question, channel_type, workspace, revision)
        return tenant_id
