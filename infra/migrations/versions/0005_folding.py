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
# What whoever folds must know of tasks of several tenants: them as they stand, what was said of them, and when their
# programs were heard of last.
ASK = """
create function threadline.{name}(tenants text[], tasks text[]) returns setof threadline.{table}
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select t.* from unnest(tenants, tasks) as w(tenant_id, task_id)
    join threadline.{table} t on t.tenant_id = w.tenant_id and t.task_id = w.task_id
$$
"""
ASKED = {"held_tasks": "agent_tasks", "told_tasks": "agent_tellings", "alive_tasks": "agent_heartbeats"}

# Each row of what a task said goes with its task: one index says both which it is and whose.
OF_TASK = ("agent_checkpoints", "task_artifacts")


def upgrade() -> None:
    """Makes the functions, and the keys anew."""
    for table, change in CHANGES.items():
        op.execute(WRITE.format(table=table, change=change))
        op.execute(f"revoke all on function {SCHEMA}.write_{table}({SCHEMA}.{table}[]) from public")
    for name, table in ASKED.items():
        op.execute(ASK.format(name=name, table=table))
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
