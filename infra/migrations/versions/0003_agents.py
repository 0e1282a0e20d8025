"""Supervised agents: their tasks as projections of agents.events, and where a tenant wants to hear of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

SCHEMA = "threadline"
MOMENT = sa.DateTime(timezone=True)

OF_TENANT = (
    "agent_tasks",
    "agent_checkpoints",
    "human_interventions",
    "task_artifacts",
    "agent_heartbeats",
    "agent_tellings",
)

# Whose tasks a process must know when it takes up a partition: asked before any tenant is bound.
TENANTS_WITH_TASKS = """
create function threadline.tenants_with_tasks(of_partition integer, since timestamptz)
returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select distinct t.tenant_id from threadline.agent_tasks t
    where t.partition = of_partition and (t.ended_at is null or t.last_at >= since)
$$
"""
# Whose tasks are over for so long that they go: asked likewise.
TENANTS_WITH_OLD_TASKS = """
create function threadline.tenants_with_old_tasks(of_partition integer, before timestamptz)
returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select distinct t.tenant_id from threadline.agent_tasks t
    where t.partition = of_partition and t.ended_at is not null and t.last_at < before
$$
"""
ASKED_FOR_ALL = {"tenants_with_tasks": TENANTS_WITH_TASKS, "tenants_with_old_tasks": TENANTS_WITH_OLD_TASKS}


def upgrade() -> None:
    """Makes the tables, guarded like all others."""
    op.add_column(
        "tenants",
        sa.Column("agents_channel", sa.Text(), nullable=False, server_default="#agent-supervisory"),
        schema=SCHEMA,
    )
    op.add_column(
        "tenants",
        sa.Column("anyone_may_approve", sa.Boolean(), nullable=False, server_default=sa.false()),
        schema=SCHEMA,
    )
    for column in ("agents_channel", "anyone_may_approve"):
        op.alter_column("tenants", column, server_default=None, schema=SCHEMA)
    _make_tables()
    for name, made in ASKED_FOR_ALL.items():
        op.execute(made)
        op.execute(f"revoke all on function {SCHEMA}.{name}(integer, timestamptz) from public")
    for table in OF_TENANT:
        op.execute(f"alter table {SCHEMA}.{table} enable row level security")
        op.execute(
            f"create policy own_tenant on {SCHEMA}.{table} "
            f"using (tenant_id = (select {SCHEMA}.bound_tenant())) "
            f"with check (tenant_id = (select {SCHEMA}.bound_tenant()))"
        )


def downgrade() -> None:
    """Removes them; the topic still has what they said."""
    for table in (*OF_TENANT, "agent_projections"):
        op.drop_table(table, schema=SCHEMA)
    for name in ASKED_FOR_ALL:
        op.execute(f"drop function {SCHEMA}.{name}(integer, timestamptz)")
    for column in ("agents_channel", "anyone_may_approve"):
        op.drop_column("tenants", column, schema=SCHEMA)


def _of_tenant(name: str, key: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column(key, sa.Text(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["threadline.tenants.tenant_id"], name=f"{name}_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", key, name=f"{name}_pkey"),
        schema=SCHEMA,
    )


def _make_tables() -> None:
    op.create_table(
        "agent_projections",
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partition", name="agent_projections_pkey"),
        schema=SCHEMA,
    )
    _of_tenant(
        "agent_tasks",
        "task_id",
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("task_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("parent_task_id", sa.Text(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("cost_usd", sa.Double(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("is_offered", sa.Boolean(), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("state", JSONB(), nullable=False),
        sa.Column("recent", sa.LargeBinary(), nullable=False),
    )
    _of_tenant(
        "agent_checkpoints",
        "event_id",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=True),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("context_used", sa.BigInteger(), nullable=True),
        sa.Column("cost_usd", sa.Double(), nullable=True),
        sa.Column("details_json", sa.Text(), nullable=True),
    )
    _of_tenant(
        "human_interventions",
        "intervention_id",
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("arguments_json", sa.Text(), nullable=True),
        sa.Column("arguments_hash", sa.Text(), nullable=True),
        sa.Column("choices", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by_user", sa.Text(), nullable=True),
        sa.Column("via", sa.Text(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
    )
    _of_tenant(
        "task_artifacts",
        "event_id",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("artifact", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
    )
    _of_tenant("agent_heartbeats", "task_id", sa.Column("at", MOMENT, nullable=False))
    _of_tenant("agent_tellings", "task_id", sa.Column("posts", JSONB(), nullable=False))
    for name, table, columns in (
        ("agent_tasks_of_partition", "agent_tasks", ["partition", "last_at"]),
        ("agent_tasks_by_status", "agent_tasks", ["tenant_id", "status", "last_at"]),
        ("agent_tasks_of_agent", "agent_tasks", ["tenant_id", "agent_id", "last_at"]),
        ("agent_tasks_under", "agent_tasks", ["tenant_id", "parent_task_id"]),
        ("agent_checkpoints_of_task", "agent_checkpoints", ["tenant_id", "task_id", "at"]),
        ("agent_checkpoints_by_day", "agent_checkpoints", ["tenant_id", "received_at"]),
        ("human_interventions_of_task", "human_interventions", ["tenant_id", "task_id", "at"]),
        ("human_interventions_as_asked", "human_interventions", ["tenant_id", "request_id"]),
        ("task_artifacts_of_task", "task_artifacts", ["tenant_id", "task_id", "at"]),
    ):
        op.create_index(name, table, columns, unique=False, schema=SCHEMA)
    op.create_index(
        "agent_tasks_offered",
        "agent_tasks",
        ["tenant_id", "agent_id", "started_at"],
        unique=False,
        schema=SCHEMA,
        postgresql_where=sa.text("is_offered"),
    )
    op.create_index(
        "human_interventions_open",
        "human_interventions",
        ["tenant_id", "at"],
        unique=False,
        schema=SCHEMA,
        postgresql_where=sa.text("state = 'open'"),
    )
