"""revisions: what every tenant was, after every change. A row is written once and never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base


class RevisionRow(Base):
    """One tenant after one change. It outlives the tenant, so that what was decided can be decided again."""

    __tablename__ = "revisions"
    __table_args__ = (
        Index("revisions_of_tenant", "tenant_id", "revision"),
        Index(
            "revisions_by_content", "document", postgresql_using="gin", postgresql_ops={"document": "jsonb_path_ops"}
        ),
    )

    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Counts up over all tenants, without holes, in the order of the commits."""
    tenant_id: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    by: Mapped[str]
    """Who or what changed it."""
    document: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The tenant, in the shape of `directory.yaml`; none from when it is gone."""
    forgotten_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When what it said was erased, if it was."""
