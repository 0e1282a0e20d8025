"""people: who may stop anybody's run, and who may approve."""

from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base, OfTenant


class PersonRow(OfTenant, Base):
    """One person of a tenant, and what they may do."""

    __tablename__ = "people"

    user: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    may: Mapped[list[str]]
