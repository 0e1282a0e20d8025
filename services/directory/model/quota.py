"""quotas: how much a tenant may use."""

from sqlalchemy import Double
from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base, OfTenant


class QuotaRow(OfTenant, Base):
    """One bound."""

    __tablename__ = "quotas"

    what: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[float] = mapped_column(Double)
