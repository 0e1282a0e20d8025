"""The whole directory, now and as it was, for operators."""

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


async def latest(connection: AsyncConnection, most: int, tenant_id: str | None = None) -> list[Revision]:
    """The newest revisions, the newest first."""
    question = select(RevisionRow).order_by(RevisionRow.revision.desc()).limit(most)
    if tenant_id is not None:
        question = question.where(RevisionRow.tenant_id == tenant_id)
    return [_revision(row) for row in (await connection.execute(question)).all()]


async def newest(connection: AsyncConnection) -> int:
    """The directory's revision: that of its last change."""
    number: int | None = await connection.scalar(select(func.max(RevisionRow.revision)))
    return number or 0


def _revision(row: Row[Any]) -> Revision:
    return Revision(row.revision, row.tenant_id, row.at, row.by, facts_of(row.document, row.revision))
