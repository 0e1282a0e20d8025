"""A tenant as rows of tables."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from services.directory.document import Tenant
from services.directory.model import (
    AgentChannelRow,
    AgentRow,
    Base,
    ChannelConnectionRow,
    InstallationRow,
    LimitRow,
    PartnerRow,
    PersonRow,
    QuotaRow,
    ReactionRuleRow,
    TenantRow,
    ToolRow,
)

Row = dict[str, Any]
Rows = dict[type[Base], list[Row]]

LISTS: dict[str, type[Base]] = {
    "connections": ChannelConnectionRow,
    "partners": PartnerRow,
    "installations": InstallationRow,
    "agents": AgentRow,
    "rules": ReactionRuleRow,
    "limits": LimitRow,
    "quotas": QuotaRow,
    "people": PersonRow,
    "tools": ToolRow,
}
"""The lists of a tenant, and the table of each. The columns are named like the fields."""


def rows_of(tenant: Tenant) -> Rows:
    """Every row of one tenant that `directory.yaml` describes."""
    own = {name: value for name, value in _columns(tenant).items() if name not in {*LISTS, "id"}}
    rows: Rows = {TenantRow: [{"tenant_id": tenant.id, **own}]}
    for name, table in LISTS.items():
        rows[table] = [{"tenant_id": tenant.id, **_columns(each)} for each in getattr(tenant, name)]
    for installation in rows[InstallationRow]:
        installation |= {"origin": "file", "scopes": []}
    for agent in rows[AgentRow]:
        del agent["channels"]
    rows[AgentChannelRow] = [
        {"tenant_id": tenant.id, "channel": channel, "agent": agent.id}
        for agent in tenant.agents
        for channel in agent.channels
    ]
    return rows


def key_of(table: type[Base], row: Row) -> tuple[Any, ...]:
    """What makes a row the only one in its table."""
    return tuple(row[column.key] for column in table.__table__.primary_key)


def changed(table: type[Base], before: Iterable[Row], after: Iterable[Row]) -> tuple[list[tuple[Any, ...]], list[Row]]:
    """The keys of the rows to delete, and the rows to insert. One that changes is among both."""
    old = {key_of(table, row): row for row in before}
    new = {key_of(table, row): row for row in after}
    gone = [key for key, row in old.items() if new.get(key) != row]
    come = [row for key, row in new.items() if old.get(key) != row]
    return gone, come


def _columns(value: BaseModel) -> Row:
    return {
        name: list(each) if isinstance(each, tuple) else each
        for name, each in ((name, getattr(value, name)) for name in type(value).model_fields)
    }
