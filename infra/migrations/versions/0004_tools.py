"""Tools: what a tenant's agents may use beside their words."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

SCHEMA = "threadline"

# As in 0001, and with the tools.
COMPILED = """
create or replace function threadline.compiled(of_tenant text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp as $$
    select to_jsonb(t) - 'tenant_id' || jsonb_build_object(
        'id', t.tenant_id,
        'connections', (select coalesce(jsonb_agg(to_jsonb(c) - 'tenant_id' order by c.workspace), '[]')
            from threadline.channel_connections c where c.tenant_id = of_tenant),
        'partners', (select coalesce(jsonb_agg(to_jsonb(p) - 'tenant_id' order by p.workspace), '[]')
            from threadline.partners p where p.tenant_id = of_tenant),
        'installations', (select coalesce(jsonb_agg(
                to_jsonb(i) - array['tenant_id', 'sealed_bot_token', 'sealed_refresh_token', 'expires_at']
                order by i.app, i.workspace), '[]')
            from threadline.installations i where i.tenant_id = of_tenant),
        'agents', (select coalesce(jsonb_agg(to_jsonb(a) - 'tenant_id' || jsonb_build_object(
                'channels', (select coalesce(jsonb_agg(b.channel order by b.channel), '[]')
                    from threadline.agent_channels b where b.tenant_id = of_tenant and b.agent = a.id))
                order by a.id), '[]')
            from threadline.agents a where a.tenant_id = of_tenant),
        'rules', (select coalesce(jsonb_agg(to_jsonb(r) - 'tenant_id' order by r.name), '[]')
            from threadline.reaction_rules r where r.tenant_id = of_tenant),
        'limits', (select coalesce(jsonb_agg(to_jsonb(l) - 'tenant_id' order by l.scope), '[]')
            from threadline.limits l where l.tenant_id = of_tenant),
        'quotas', (select coalesce(jsonb_agg(to_jsonb(q) - 'tenant_id' order by q.what), '[]')
            from threadline.quotas q where q.tenant_id = of_tenant),
        {TOOLS}'people', (select coalesce(jsonb_agg(to_jsonb(m) - 'tenant_id' order by m."user"), '[]')
            from threadline.people m where m.tenant_id = of_tenant))
    from threadline.tenants t where t.tenant_id = of_tenant
$$
"""
TOOLS = """'tools', (select coalesce(jsonb_agg(to_jsonb(u) - 'tenant_id' order by u.name), '[]')
            from threadline.tools u where u.tenant_id = of_tenant),
        """


def upgrade() -> None:
    """Makes the table, guarded and revised like all others of the directory."""
    op.add_column("agents", sa.Column("tools", sa.ARRAY(sa.Text()), nullable=False, server_default="{}"), schema=SCHEMA)
    op.alter_column("agents", "tools", server_default=None, schema=SCHEMA)
    op.create_table(
        "tools",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("arguments", JSONB(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("approval_within_s", sa.Integer(), nullable=False),
        sa.Column("repeatable", sa.Boolean(), nullable=False),
        sa.Column("within_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["threadline.tenants.tenant_id"], name="tools_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="tools_pkey"),
        schema=SCHEMA,
    )
    op.execute(COMPILED.replace("{TOOLS}", TOOLS))
    op.execute(f"alter table {SCHEMA}.tools enable row level security")
    op.execute(
        f"create policy own_tenant on {SCHEMA}.tools "
        f"using (tenant_id = (select {SCHEMA}.bound_tenant())) "
        f"with check (tenant_id = (select {SCHEMA}.bound_tenant()))"
    )
    op.execute(
        f"create trigger unmark before insert or update or delete on {SCHEMA}.tools "
        f"for each statement execute function {SCHEMA}.unmark()"
    )
    op.execute(
        f"create constraint trigger revise after insert or update or delete on {SCHEMA}.tools "
        f"deferrable initially deferred for each row execute function {SCHEMA}.revise()"
    )


def downgrade() -> None:
    """Removes them. Revisions that name them stay as they are."""
    op.execute(COMPILED.replace("{TOOLS}", ""))
    op.drop_table("tools", schema=SCHEMA)
    op.drop_column("agents", "tools", schema=SCHEMA)
