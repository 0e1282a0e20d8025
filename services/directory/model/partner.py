"""partners: organisations whose people share channels with a tenant's (Slack Connect)."""

from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base, OfTenant


class PartnerRow(OfTenant, Base):
    """One other organisation, as one tenant sees it: it may be a tenant itself, and a partner of several."""

    __tablename__ = "partners"

    workspace: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    may_ask: Mapped[bool]
