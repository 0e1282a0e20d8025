"""Revisions of a tenant that is gone can be forgotten: what they said, and never that they were."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SCHEMA = "threadline"

FORGET_OR_REFUSE = """
create function threadline.forget_or_refuse() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' then
        if (new.revision, new.tenant_id, new."at", new."by") = (old.revision, old.tenant_id, old."at", old."by")
            and new.document is null
            and old.forgotten_at is null
            and new.forgotten_at is not null
            and not exists (select from threadline.tenants t where t.tenant_id = old.tenant_id)
        then
            return new;
        end if;
    end if;
    raise exception 'a revision is never changed';
end $$
"""


def upgrade() -> None:
    """Says of each revision whether it is forgotten."""
    op.add_column("revisions", sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True), schema=SCHEMA)
    op.execute(FORGET_OR_REFUSE)
    op.execute(f"revoke all on function {SCHEMA}.forget_or_refuse() from public")
    _guarded_by("forget_or_refuse")


def downgrade() -> None:
    """What is forgotten stays so, and is not told from a tenant that went."""
    _guarded_by("refuse_change")
    op.execute(f"drop function {SCHEMA}.forget_or_refuse()")
    op.drop_column("revisions", "forgotten_at", schema=SCHEMA)


def _guarded_by(function: str) -> None:
    op.execute(f"drop trigger unchanging on {SCHEMA}.revisions")
    op.execute(
        f"create trigger unchanging before update or delete on {SCHEMA}.revisions "
        f"for each row execute function {SCHEMA}.{function}()"
    )
