"""The directory: its tables, row-level security, and a revision for every change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

SCHEMA = "threadline"

OF_TENANT = (
    "channel_connections",
    "partners",
    "installations",
    "agents",
    "agent_channels",
    "reaction_rules",
    "limits",
    "quotas",
    "people",
    "api_tokens",
)
"""Every table whose rows belong to a tenant, beside `tenants` itself."""

BOUND_TENANT = """
create function threadline.bound_tenant() returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    tenant text := nullif(current_setting('threadline.tenant', true), '');
begin
    if tenant is null then
        raise warning 'no tenant is bound, so nothing is found';
    end if;
    return tenant;
end $$
"""

TENANT_OF = """
create function threadline.tenant_of(of_channel_type text, of_workspace text)
returns table (tenant_id text, revision bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select
        (select c.tenant_id from threadline.channel_connections c
         where c.channel_type = of_channel_type and c.workspace = of_workspace),
        (select coalesce(max(r.revision), 0) from threadline.revisions r)
$$
"""

TENANT_OF_AT = """
create function threadline.tenant_of_at(of_channel_type text, of_workspace text, of_revision bigint)
returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select r.tenant_id from threadline.revisions r
    where r.revision <= of_revision
      and r.document @> jsonb_build_object('connections', jsonb_build_array(
            jsonb_build_object('channel_type', of_channel_type, 'workspace', of_workspace)))
      and not exists (
            select from threadline.revisions later
            where later.tenant_id = r.tenant_id and later.revision > r.revision and later.revision <= of_revision)
    order by r.revision desc limit 1
$$
"""

# A tenant in the shape of directory.yaml. Columns are named like its fields, so a new column needs no change here.
COMPILED = """
create function threadline.compiled(of_tenant text) returns jsonb
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
        'people', (select coalesce(jsonb_agg(to_jsonb(m) - 'tenant_id' order by m."user"), '[]')
            from threadline.people m where m.tenant_id = of_tenant))
    from threadline.tenants t where t.tenant_id = of_tenant
$$
"""

# Deferred to the commit, so that a change of many rows is one revision. The lock puts revisions in the commits' order.
REVISE = """
create function threadline.revise() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    changed text;
    latest jsonb;
    present jsonb;
    -- Only the owner is believed: services must not choose whether a change is a revision, or who made it.
    is_owner boolean := session_user = current_user;
begin
    perform pg_advisory_xact_lock(hashtext('threadline directory'));
    foreach changed in array array(
        select distinct t from unnest(array[old.tenant_id, new.tenant_id]) t where t is not null)
    loop
        -- A thousand rows of one statement wait for the commit with a thousand triggers: the first compiles for all.
        continue when is_owner
            and position(format('/%s/', changed) in current_setting('threadline.compiled', true)) > 0;
        perform set_config('threadline.compiled',
            coalesce(current_setting('threadline.compiled', true), '') || format('/%s/', changed), true);
        present := threadline.compiled(changed);
        select r.document into latest from threadline.revisions r
            where r.tenant_id = changed order by r.revision desc limit 1;
        if present is distinct from latest then
            insert into threadline.revisions (revision, tenant_id, at, by, document)
            select coalesce(max(r.revision), 0) + 1, changed, clock_timestamp(),
                   coalesce(
                       case when is_owner then nullif(current_setting('threadline.by', true), '') end, session_user),
                   present
            from threadline.revisions r;
        end if;
        perform pg_notify('threadline_directory', changed);
    end loop;
    return null;
end $$
"""

# What was compiled before a statement is old after it.
UNMARK = """
create function threadline.unmark() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('threadline.compiled', '', true);
    return null;
end $$
"""

UNCHANGING = """
create function threadline.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'a revision is never changed';
end $$
"""

FUNCTIONS = (BOUND_TENANT, TENANT_OF, TENANT_OF_AT, COMPILED, REVISE, UNMARK, UNCHANGING)
SIGNATURES = (
    "bound_tenant()",
    "tenant_of(text, text)",
    "tenant_of_at(text, text, bigint)",
    "compiled(text)",
    "revise()",
    "unmark()",
    "refuse_change()",
)


def upgrade() -> None:
    """Makes everything."""
    _make_tables()
    for function in FUNCTIONS:
        op.execute(function)
    for signature in SIGNATURES:
        op.execute(f"revoke all on function {SCHEMA}.{signature} from public")
    for table in (*OF_TENANT, "tenants", "revisions"):
        op.execute(f"alter table {SCHEMA}.{table} enable row level security")
        op.execute(
            f"create policy own_tenant on {SCHEMA}.{table} "
            f"using (tenant_id = (select {SCHEMA}.bound_tenant())) "
            f"with check (tenant_id = (select {SCHEMA}.bound_tenant()))"
        )
    # A service may install through OAuth, and cannot name a place from which another tenant's secrets would be read.
    op.execute(
        f"create policy only_oauth on {SCHEMA}.installations as restrictive for insert with check (origin = 'oauth')"
    )
    for table in (*OF_TENANT, "tenants"):
        op.execute(
            f"create trigger unmark before insert or update or delete on {SCHEMA}.{table} "
            f"for each statement execute function {SCHEMA}.unmark()"
        )
        op.execute(
            f"create constraint trigger revise after insert or update or delete on {SCHEMA}.{table} "
            f"deferrable initially deferred for each row execute function {SCHEMA}.revise()"
        )
    op.execute(
        f"create trigger unchanging before update or delete on {SCHEMA}.revisions "
        f"for each row execute function {SCHEMA}.refuse_change()"
    )
    op.execute(
        f"create trigger unchanging_at_all before truncate on {SCHEMA}.revisions "
        f"for each statement execute function {SCHEMA}.refuse_change()"
    )


def downgrade() -> None:
    """Removes everything, and all that stands in it."""
    for table in ("agent_channels", "reaction_rules"):  # they name agents
        op.drop_table(table, schema=SCHEMA)
    for table in (
        *(each for each in OF_TENANT if each not in {"agent_channels", "reaction_rules"}),
        "tenants",
        "revisions",
    ):
        op.drop_table(table, schema=SCHEMA)
    for signature in SIGNATURES:
        op.execute(f"drop function {SCHEMA}.{signature}")


def _make_tables() -> None:
    op.create_table(
        "revisions",
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("document", JSONB(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("revision", name="revisions_pkey"),
        schema=SCHEMA,
    )
    op.create_index(
        "revisions_by_content",
        "revisions",
        ["document"],
        unique=False,
        schema=SCHEMA,
        postgresql_using="gin",
        postgresql_ops={"document": "jsonb_path_ops"},
    )
    op.create_index("revisions_of_tenant", "revisions", ["tenant_id", "revision"], unique=False, schema=SCHEMA)
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("anyone_may_stop", sa.Boolean(), nullable=False),
        sa.Column("self_approval", sa.Boolean(), nullable=False),
        sa.Column("strangers_may_ask", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="tenants_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "agents",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("persona", sa.Text(), nullable=False),
        sa.Column("transparency", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("fallback_model", sa.Text(), nullable=True),
        sa.Column("default", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("max_answer_tokens", sa.Integer(), nullable=True),
        sa.Column("max_history_tokens", sa.Integer(), nullable=True),
        sa.Column("answer_within_s", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["threadline.tenants.tenant_id"], name="agents_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="agents_pkey"),
        schema=SCHEMA,
    )
    op.create_index(
        "agents_one_default", "agents", ["tenant_id"], unique=True, schema=SCHEMA, postgresql_where=sa.text('"default"')
    )
    op.create_table(
        "api_tokens",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("actions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("good_for_s", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["threadline.tenants.tenant_id"], name="api_tokens_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="api_tokens_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "channel_connections",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("channel_type", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("organization", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["threadline.tenants.tenant_id"],
            name="channel_connections_tenant_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "channel_type", "workspace", name="channel_connections_pkey"),
        sa.UniqueConstraint("channel_type", "workspace", name="channel_connections_channel_type_workspace_key"),
        schema=SCHEMA,
    )
    op.create_table(
        "installations",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("app", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=True),
        sa.Column("bot_user", sa.Text(), nullable=True),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_bot_token", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_refresh_token", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(origin = 'file') = (secrets is not null)", name="installations_a_place_or_sealed"),
        sa.CheckConstraint("origin in ('file', 'oauth')", name="installations_known_origin"),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["threadline.tenants.tenant_id"], name="installations_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "app", "workspace", name="installations_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "limits",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("burst", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["threadline.tenants.tenant_id"], name="limits_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "scope", name="limits_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "partners",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("may_ask", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["threadline.tenants.tenant_id"], name="partners_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "workspace", name="partners_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "people",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("may", sa.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["threadline.tenants.tenant_id"], name="people_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "user", name="people_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "quotas",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("amount", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["threadline.tenants.tenant_id"], name="quotas_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "what", name="quotas_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "agent_channels",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agent"],
            ["threadline.agents.tenant_id", "threadline.agents.id"],
            name="agent_channels_tenant_id_agent_fkey",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["threadline.tenants.tenant_id"], name="agent_channels_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "channel", name="agent_channels_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "reaction_rules",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("when", sa.Text(), nullable=False),
        sa.Column("channels", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("senders", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=True),
        sa.Column("emoji", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("cooldown_s", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agent"],
            ["threadline.agents.tenant_id", "threadline.agents.id"],
            name="reaction_rules_tenant_id_agent_fkey",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["threadline.tenants.tenant_id"], name="reaction_rules_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="reaction_rules_pkey"),
        schema=SCHEMA,
    )
