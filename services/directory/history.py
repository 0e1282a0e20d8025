"""The whole directory, now and as it was, for operators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.directory.model import RevisionRow
from services.directory.revisions import Revision, facts_of


async def whole(connection: AsyncConnection, at_most: int | None = None) -> dict[str, Revision]:
    """Every tenant that there is, or was at a revision."""
    question = select(RevisionRow).ext(distinct_on(RevisionRow.tenant_id))
    question = question.order_by(RevisionRow.tenant_id, RevisionRow.revision.desc())
    if at_most is not None:
        question = question.where(RevisionRow.revision <= at_most)
    found = [_revision(row) for row in (await connection.execute(question)).all()]
    return {each.tenant_id: each for each in found if each.facts is not None}


@dataclass(frozen=True)
class Change:
    """That there was a revision, without what it says: one that cannot be read can still be listed."""

    number: int
    tenant_id: str
    at: datetime
    by: str
    is_the_end: bool
    is_forgotten: bool


async def latest(connection: AsyncConnection, most: int, tenant_id: str | None = None) -> list[Change]:
    """The newest changes, the newest first."""
    row = RevisionRow
    is_forgotten = row.forgotten_at.is_not(None)
    question = select(row.revision, row.tenant_id, row.at, row.by, row.document.is_(None), is_forgotten)
    question = question.order_by(row.revision.desc()).limit(most)
    if tenant_id is not None:
        question = question.where(row.tenant_id == tenant_id)
    return [Change(*each) for each in (await connection.execute(question)).all()]


async def forgotten(connection: AsyncConnection) -> dict[str, int]:
    """Tenants of whom revisions are forgotten, and up to which."""
    row = RevisionRow
    question = select(row.tenant_id, func.max(row.revision)).where(row.forgotten_at.is_not(None))
    return {each.tenant_id: each[1] for each in await connection.execute(question.group_by(row.tenant_id))}


async def newest(connection: AsyncConnection) -> int:
    """The directory's revision: that of its last change."""
    number: int | None = await connection.scalar(select(func.max(RevisionRow.revision)))
    return number or 0


def _revision(row: Row[Any]) -> Revision:
    facts = facts_of(row.document, row.revision)
    return Revision(row.revision, row.tenant_id, row.at, row.by, facts)
