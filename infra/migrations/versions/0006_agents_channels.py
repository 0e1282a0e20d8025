"""A tenant with several workspaces says in each of them where its agents are told of."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

SCHEMA = "threadline"


def upgrade() -> None:
    """Where nothing is said, the tenant's own holds, as before: no revision changes."""
    op.add_column("channel_connections", sa.Column("agents_channel", sa.Text(), nullable=True), schema=SCHEMA)


def downgrade() -> None:
    """The tenant's own holds again everywhere."""
    op.drop_column("channel_connections", "agents_channel", schema=SCHEMA)
