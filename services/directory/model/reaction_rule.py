"""reaction_rules: when this happens, ask that."""

from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base, OfTenant, of_an_agent


class ReactionRuleRow(OfTenant, Base):
    """One rule of a tenant."""

    __tablename__ = "reaction_rules"
    __table_args__ = (of_an_agent(),)

    name: Mapped[str] = mapped_column(primary_key=True)
    when: Mapped[str]
    channels: Mapped[list[str]]
    senders: Mapped[list[str]]
    pattern: Mapped[str | None]
    emoji: Mapped[list[str]]
    prompt: Mapped[str | None]
    agent: Mapped[str | None]
    priority: Mapped[int]
    cooldown_s: Mapped[int]
    enabled: Mapped[bool]
