"""tools: what agents may use beside their words."""

from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base, OfTenant


class ToolRow(OfTenant, Base):
    """One tool of a tenant."""

    __tablename__ = "tools"

    name: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str]
    url: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    approval: Mapped[str]
    approval_within_s: Mapped[int]
    repeatable: Mapped[bool]
    within_s: Mapped[int]
