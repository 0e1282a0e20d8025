"""What agents report is written in one go, whosever it is, and with fewer indexes to keep."""

from collections.abc import Mapping
from typing import Final

from alembic import op

revision = "0005"
down_revision = "0004"

SCHEMA = "threadline"

CHANGES: Final[Mapping[str, str]] = {
    "agent_tasks": """on conflict (tenant_id, task_id) do update set partition = excluded.partition,
        agent_id = excluded.agent_id, task_name = excluded.task_name, status = excluded.status,
        parent_task_id = excluded.parent_task_id, started_at = excluded.started_at, last_at = excluded.last_at,
        ended_at = excluded.ended_at, cost_usd = excluded.cost_usd, version = excluded.version,
        is_offered = excluded.is_offered, orders = excluded.orders, state = excluded.state, recent = excluded.recent""",
    "agent_checkpoints": "on conflict do nothing",
    "human_interventions": """on conflict (tenant_id, intervention_id) do update set state = excluded.state,
        answer = excluded.answer, reason = excluded.reason, by_user = excluded.by_user, via = excluded.via,
        decided_at = excluded.decided_at""",
    "task_artifacts": "on conflict do nothing",
    "agent_tellings": "on conflict (tenant_id, task_id) do update set posts = excluded.posts",
}
"""What becomes of a row that stands already."""

# A process folds the events of every tenant whose tasks stand in its partitions. Bound to one tenant after the other it
# would ask Postgres dozens of times for one batch. Rows of tenants that are gone are left out, and these are named.
WRITE = """
create function threadline.write_{table}(given threadline.{table}[]) returns setof text
language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into threadline.{table}
    select g.* from unnest(given) g where exists (select from threadline.tenants t where t.tenant_id = g.tenant_id)
    {change};
    select distinct g.tenant_id from unnest(given) g
    where not exists (select from threadline.tenants t where t.tenant_id = g.tenant_id)
$$
"""
# The tasks of several tenants, as whoever folds must know them.
HELD = """
create function threadline.held_tasks(tenants text[], tasks text[])
returns table (tenant_id text, state jsonb, recent bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select t.tenant_id, t.state, t.recent from unnest(tenants, tasks) as w(tenant_id, task_id)
    join threadline.agent_tasks t on t.tenant_id = w.tenant_id and t.task_id = w.task_id
$$
"""
# What was said of them.
TOLD = """
create function threadline.told_tasks(tenants text[], tasks text[])
returns table (tenant_id text, task_id text, posts jsonb)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select t.tenant_id, t.task_id, t.posts from unnest(tenants, tasks) as w(tenant_id, task_id)
    join threadline.agent_tellings t on t.tenant_id = w.tenant_id and t.task_id = w.task_id
$$
"""
# When their programs were heard of last.
ALIVE = """
create function threadline.alive_tasks(tenants text[], tasks text[])
returns table (tenant_id text, task_id text, "at" timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select h.tenant_id, h.task_id, h."at" from unnest(tenants, tasks) as w(tenant_id, task_id)
    join threadline.agent_heartbeats h on h.tenant_id = w.tenant_id and h.task_id = w.task_id
$$
"""
ASKED = {"held_tasks": HELD, "told_tasks": TOLD, "alive_tasks": ALIVE}

# Each row of what a task said goes with its task: one index says both which it is and whose.
OF_TASK = ("agent_checkpoints", "task_artifacts")


def upgrade() -> None:
    """Makes the functions, and the keys anew."""
    for table, change in CHANGES.items():
        op.execute(WRITE.format(table=table, change=change))
        op.execute(f"revoke all on function {SCHEMA}.write_{table}({SCHEMA}.{table}[]) from public")
    for name, made in ASKED.items():
        op.execute(made)
        op.execute(f"revoke all on function {SCHEMA}.{name}(text[], text[]) from public")
    for table in OF_TASK:
        op.drop_index(f"{table}_of_task", table, schema=SCHEMA)
        _key(table, "task_id", "event_id")


def downgrade() -> None:
    """As before."""
    for table in OF_TASK:
        _key(table, "event_id")
        op.create_index(f"{table}_of_task", table, ["tenant_id", "task_id", "at"], schema=SCHEMA)
    for name in ASKED:
        op.execute(f"drop function {SCHEMA}.{name}(text[], text[])")
    for table in CHANGES:
        op.execute(f"drop function {SCHEMA}.write_{table}({SCHEMA}.{table}[])")


def _key(table: str, *columns: str) -> None:
    op.drop_constraint(f"{table}_pkey", table, schema=SCHEMA)
    op.create_primary_key(f"{table}_pkey", table, ["tenant_id", *columns], schema=SCHEMA)
