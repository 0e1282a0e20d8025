"""Reading the directory as it was: any revision of any tenant, for as long as the database lives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.directory.database import Database
from services.directory.document import TenantFacts
from services.directory.model import RevisionRow
from services.directory.tenancy import acting_for
from services.kit.fault import Fault


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
            f"revision {number} of the directory cannot be read by this version ({fields}); a newer one wrote it. "
            "What is known from before is kept"
        ) from None


class RevisionReader:
    """Past revisions for services, each read once: a revision never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[str, int], TenantFacts | None] = {}

    async def facts_at(self, tenant_id: str, revision: int) -> TenantFacts | None:
        """The tenant as that revision of the directory had it; none where it was not there."""
        key = (tenant_id, revision)
        if key not in self._known:
            with acting_for(tenant_id):
                async with self._database.for_tenant() as connection:
                    found = await latest(connection, tenant_id, revision)
            self._known[key] = found.facts if found else None
        return self._known[key]

    async def tenant_of_at(self, workspace: str, revision: int, channel_type: str = "slack") -> str | None:
        """Whose workspace it was."""
        async with self._database.for_nobody() as connection:
            tenant_id: str | None = await connection.scalar(
                select(func.threadline.tenant_of_at(channel_type, workspace, revision))
            )
        return tenant_id


async def latest(connection: AsyncConnection, tenant_id: str, at_most: int | None = None) -> Revision | None:
    """A tenant's newest revision, or the newest up to a number."""
    question = (
        select(RevisionRow).where(RevisionRow.tenant_id == tenant_id).order_by(RevisionRow.revision.desc()).limit(1)
    )
    if at_most is not None:
        question = question.where(RevisionRow.revision <= at_most)
    row = (await connection.execute(question)).one_or_none()
    if row is None:
        return None
    return Revision(row.revision, row.tenant_id, row.at, row.by, facts_of(row.document, row.revision))


async def whole(connection: AsyncConnection, at_most: int | None = None) -> dict[str, Revision]:
    """Every tenant that there is, or was at a revision. For the owner: a service sees one tenant at a time."""
    question = select(RevisionRow).ext(distinct_on(RevisionRow.tenant_id))
    question = question.order_by(RevisionRow.tenant_id, RevisionRow.revision.desc())
    if at_most is not None:
        question = question.where(RevisionRow.revision <= at_most)
    rows = (await connection.execute(question)).all()
    found = [
        Revision(row.revision, row.tenant_id, row.at, row.by, facts_of(row.document, row.revision)) for row in rows
    ]
    return {each.tenant_id: each for each in found if each.facts is not None}


async def history(connection: AsyncConnection, tenant_id: str | None, most: int) -> list[Revision]:
    """The newest revisions, the newest first."""
    question = select(RevisionRow).order_by(RevisionRow.revision.desc()).limit(most)
    if tenant_id is not None:
        question = question.where(RevisionRow.tenant_id == tenant_id)
    rows = (await connection.execute(question)).all()
    return [Revision(row.revision, row.tenant_id, row.at, row.by, facts_of(row.document, row.revision)) for row in rows]


async def newest(connection: AsyncConnection) -> int:
    """The directory's revision: that of its last change."""
    number: int | None = await connection.scalar(select(func.max(RevisionRow.revision)))
    return number or 0
