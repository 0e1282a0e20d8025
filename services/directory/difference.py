"""What would change: between what the directory holds and what a file says."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import override

from services.directory.consistency import UNIQUE
from services.directory.document import Tenant

LONGEST = 60


@dataclass(frozen=True)
class Difference:
    """One thing that comes, goes, or becomes something else."""

    kind: Literal["comes", "goes", "changes"]
    where: str
    before: Any = None
    after: Any = None

    @override
    def __str__(self) -> str:
        match self.kind:
            case "comes":
                return f"+ {self.where}"
            case "goes":
                return f"- {self.where}"
            case "changes":
                return f"~ {self.where}: {_short(self.before)} -> {_short(self.after)}"


def differences(before: Mapping[str, Tenant], after: Mapping[str, Tenant]) -> list[Difference]:
    """Tenant by tenant, in the order of their ids. The order of lists is no difference."""
    found: list[Difference] = []
    for tenant_id in sorted({*before, *after}):
        found += _of_tenant(f"tenants.{tenant_id}", before.get(tenant_id), after.get(tenant_id))
    return found


def _of_tenant(where: str, before: Tenant | None, after: Tenant | None) -> Iterator[Difference]:
    if before is None or after is None:
        yield Difference("goes" if after is None else "comes", where)
    if after is None:
        return
    old, new = (before or Tenant(id=after.id, name=after.name)).model_dump(), after.model_dump()
    for name in new:
        if name not in UNIQUE:
            yield from _of_field(f"{where}.{name}", old[name], new[name])
            continue
        olds, news = _keyed(old[name], UNIQUE[name]), _keyed(new[name], UNIQUE[name])
        for key in sorted({*olds, *news}):
            yield from _of_entry(f"{where}.{name}.{key}", olds.get(key), news.get(key))


def _keyed(entries: Iterable[dict[str, Any]], keys: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    return {"/".join(str(entry[key]) for key in keys): entry for entry in entries}


def _of_entry(where: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Iterator[Difference]:
    if before is None or after is None:
        yield Difference("goes" if after is None else "comes", where)
        return
    for name, value in after.items():
        yield from _of_field(f"{where}.{name}", before.get(name), value)


def _of_field(where: str, before: Any, after: Any) -> Iterator[Difference]:
    if before != after:
        yield Difference("changes", where, before, after)


def _short(value: Any) -> str:
    if value is None:
        return "none"
    text = ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)
    text = " ".join(text.split())
    return repr(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
