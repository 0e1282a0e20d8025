"""channel_connections: which workspace, or whole organisation, is whose."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base, OfTenant


class ChannelConnectionRow(OfTenant, Base):
    """One workspace or organisation. It belongs to one tenant only."""

    __tablename__ = "channel_connections"
    __table_args__ = (UniqueConstraint("channel_type", "workspace"),)

    channel_type: Mapped[str] = mapped_column(primary_key=True)
    workspace: Mapped[str] = mapped_column(primary_key=True)
    organization: Mapped[str | None]
    name: Mapped[str | None]
    agents_channel: Mapped[str | None]
