"""api_tokens: what programs sign in with. The tokens themselves are nowhere: only what is needed to know them again."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base, OfTenant


class ApiTokenRow(OfTenant, Base):
    """One token of a tenant."""

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    digest: Mapped[bytes]
    actions: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    good_for_s: Mapped[int | None] = mapped_column(BigInteger)
    """For how long it was made: one that takes its place is made for as long."""
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
