"""tenants: who owns connections."""

from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base


class TenantRow(Base):
    """One tenant."""

    __tablename__ = "tenants"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    enabled: Mapped[bool]
    anyone_may_stop: Mapped[bool]
    self_approval: Mapped[bool]
    strangers_may_ask: Mapped[bool]
    agents_channel: Mapped[str]
    anyone_may_approve: Mapped[bool]
