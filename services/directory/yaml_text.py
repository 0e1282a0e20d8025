"""Writing the directory as a `directory.yaml` that can be applied again."""

import io
from collections.abc import Iterable
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from services.directory.document import Document, Tenant

WIDE = 100

LAST = ("agents", "rules")
"""Where people add most stands at the end of a tenant, behind what it is connected with."""


def as_yaml(tenants: Iterable[Tenant]) -> str:
    """Every tenant, without what is as it would be anyway. Secrets are not in it: only where they are found."""
    document = Document(version=1, tenants=tuple(sorted(tenants, key=lambda tenant: tenant.id)))
    values = {"version": 1, **document.model_dump(mode="json", exclude_defaults=True)}
    if "tenants" in values:
        values["tenants"] = [_in_order(each) for each in values["tenants"]]
    writer = YAML()
    writer.width = WIDE
    writer.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    writer.dump(_in_blocks(values), out)
    return out.getvalue()


def _in_order(tenant: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(tenant.items(), key=lambda entry: entry[0] in LAST))


def _in_blocks(value: Any) -> Any:
    """Text of several lines stands as such."""
    if isinstance(value, dict):
        return {name: _in_blocks(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_in_blocks(each) for each in value]
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    return value
