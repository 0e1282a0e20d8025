"""installations: the app in a workspace, and its tokens: sealed, or where they are found."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime
from sqlalchemy.orm import Mapped, mapped_column

from services.directory.model.base import Base, OfTenant


class InstallationRow(OfTenant, Base):
    """One app in one workspace. From the file it names a place for its secrets; through OAuth its tokens are here."""

    __tablename__ = "installations"
    __table_args__ = (
        CheckConstraint("(origin = 'file') = (secrets is not null)", name="a_place_or_sealed"),
        CheckConstraint("origin in ('file', 'oauth')", name="known_origin"),
    )

    app: Mapped[str] = mapped_column(primary_key=True)
    workspace: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str]
    secrets: Mapped[str | None]
    """The place, and never a secret."""
    bot_user: Mapped[str | None]
    scopes: Mapped[list[str]]
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    sealed_bot_token: Mapped[bytes | None]
    sealed_refresh_token: Mapped[bytes | None]
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When the bot token stops being good, where tokens rotate."""
