"""limits: a tenant's token buckets."""

from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base, OfTenant


class LimitRow(OfTenant, Base):
    """How fast one kind of bucket fills, and how much it holds."""

    __tablename__ = "limits"

    scope: Mapped[str] = mapped_column(primary_key=True)
    per_minute: Mapped[int]
    burst: Mapped[int | None]
