"""The directory as decisions were made with it: as each revision had it, or as a file says."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from schemas.decision import DecisionMade
from services.directory.document import TenantFacts
from services.router.adapters.tenants import tenant_of
from services.router.decisions.facts import Tenant

KEPT: Final = 64

Reading = Callable[[int | None], Awaitable[Iterable[TenantFacts]]]
"""Every tenant as a revision had it; the newest, where none is named."""

Forgotten = Callable[[], Awaitable[Mapping[str, int]]]
"""Tenants of whom the directory has forgotten what it said, and up to which revision."""


async def _nobody() -> Mapping[str, int]:
    return {}


class Directory:
    """All tenants, ready for decisions, by their workspaces."""

    def __init__(self, tenants: Iterable[TenantFacts], per_minute: int) -> None:
        self._owners: dict[str, Tenant] = {}
        for facts in tenants:
            tenant = tenant_of(facts, per_minute)
            self._owners |= dict.fromkeys((each.workspace for each in facts.connections), tenant)

    def owner(self, workspace: str) -> Tenant | None:
        """Whose it is."""
        return self._owners.get(workspace)


class Directories:
    """By revision. The last that were asked for are kept."""

    def __init__(self, read: Reading, per_minute: int, forgotten: Forgotten = _nobody) -> None:
        self._read, self._per_minute, self._ask_forgotten = read, per_minute, forgotten
        self._known: OrderedDict[int | None, Directory] = OrderedDict()
        self._forgotten: Mapping[str, int] | None = None

    async def have_forgotten(self, recorded: DecisionMade) -> bool:
        """Whether nobody knows any more what a decision was made with."""
        if recorded.tenant_id is None or recorded.directory_revision is None:
            return False
        if self._forgotten is None:
            self._forgotten = await self._ask_forgotten()
        return recorded.directory_revision <= self._forgotten.get(recorded.tenant_id, 0)

    async def at(self, revision: int | None) -> Directory:
        """As a decision names it."""
        if revision in self._known:
            self._known.move_to_end(revision)
            return self._known[revision]
        found = self._known[revision] = Directory(await self._read(revision), self._per_minute)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return found
