"""agents: who answers."""

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base, OfTenant


class AgentRow(OfTenant, Base):
    """One agent of a tenant. One of them may be the default."""

    __tablename__ = "agents"
    __table_args__ = (Index("agents_one_default", "tenant_id", unique=True, postgresql_where=text('"default"')),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    persona: Mapped[str]
    transparency: Mapped[str]
    model: Mapped[str | None]
    fallback_model: Mapped[str | None]
    default: Mapped[bool]
    enabled: Mapped[bool]
    max_answer_tokens: Mapped[int | None]
    max_history_tokens: Mapped[int | None]
    answer_within_s: Mapped[int | None]
    tools: Mapped[list[str]]
