"""The directory as people read it on a terminal."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from rich.table import Table

from services.directory.document import Tenant, TenantFacts
from services.directory.revisions import Revision
from services.directory.rows import LISTS
from threadline.plain import plain_console, whole

WIDE = 60


def as_json(revision: Revision) -> dict[str, Any]:
    """A tenant for machines."""
    facts = revision.facts.model_dump(mode="json") if revision.facts else None
    return {"revision": revision.number, "at": revision.at.isoformat(), "by": revision.by, "tenant": facts}


def print_all(found: Iterable[Revision]) -> None:
    """A line for each tenant."""
    table = Table(
        whole("tenant"), "name", "workspaces", "agents", "rules", "people", "revision", box=None, pad_edge=False
    )
    for each in found:
        if each.facts is not None:
            table.add_row(each.tenant_id, _name(each.facts), *_counted(each.facts), str(each.number))
    console = plain_console()
    if table.row_count:
        console.print(table)
    else:
        console.print("there is no tenant yet; `threadline directory apply` takes a directory.yaml")


def print_one(revision: Revision) -> None:
    """Everything of a tenant."""
    facts = revision.facts
    if facts is None:
        return
    console = plain_console()
    console.print(
        f"{facts.id} ({_name(facts)}), revision {revision.number}, {revision.at:%Y-%m-%d %H:%M:%S} UTC, {revision.by}",
    )
    for name in Tenant.model_fields:
        if name not in {*LISTS, "id", "name", "enabled"}:
            console.print(f"  {name}: {_shown(getattr(facts, name))}")
    for name in LISTS:
        entries: tuple[BaseModel, ...] = getattr(facts, name)
        if entries:
            console.print(f"\n{name}", style="bold")
            console.print(_table(entries))


def _table(entries: tuple[BaseModel, ...]) -> Table:
    """The fields that say something in at least one entry."""
    fields = type(entries[0]).model_fields
    telling = [
        name
        for name, field in fields.items()
        if any(getattr(each, name) != field.get_default(call_default_factory=True) for each in entries)
    ]
    table = Table(*telling, box=None, padding=(0, 1))
    for each in entries:
        table.add_row(*(_shown(getattr(each, name)) for name in telling))
    return table


def _counted(facts: TenantFacts) -> tuple[str, str, str, str]:
    workspaces = ", ".join(each.workspace for each in facts.connections)
    agents = ", ".join(f"{each.id}{' (default)' if each.default else ''}" for each in facts.agents)
    return workspaces, agents, str(len(facts.rules)), str(len(facts.people))


def _name(facts: TenantFacts) -> str:
    return facts.name if facts.enabled else f"{facts.name}, not enabled"


def _shown(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):  # a tool's arguments
        return ", ".join(value.get("properties", {}))
    text = " ".join((", ".join(map(str, value)) if isinstance(value, tuple) else str(value)).split())
    return text if len(text) <= WIDE else f"{text[: WIDE - 1]}…"
