"""agent_channels: which agent is bound to a channel."""

from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base, OfTenant, of_an_agent


class AgentChannelRow(OfTenant, Base):
    """One channel of a tenant, and the one agent that is bound to it."""

    __tablename__ = "agent_channels"
    __table_args__ = (of_an_agent(),)

    channel: Mapped[str] = mapped_column(primary_key=True)
    agent: Mapped[str]
