"""What one process knows of the directory: tenants, whose workspace is whose, and which workspaces nobody owns."""

from dataclasses import dataclass

from pydantic import Field, JsonValue

from schemas.base import Instant, Name, Part
from services.directory.document import TenantFacts
from services.directory.revisions import facts_of

Workspace = tuple[str, str]
"""The type of channel, and the id there."""


class ApiToken(Part):
    """What is needed to know a token again."""

    id: Name
    name: Name
    digest: bytes = Field(repr=False)
    actions: tuple[str, ...]
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None


class Sealed(Part):
    """The sealed tokens of an installation that was made through OAuth."""

    app: Name
    workspace: Name
    bot_token: bytes | None = Field(repr=False)
    refresh_token: bytes | None = Field(repr=False)
    expires_at: Instant | None


class TenantRecord(Part):
    """A tenant as it was read: what is kept in memory and in the snapshot is made of it."""

    tenant_id: Name
    revision: int
    document: dict[str, JsonValue] | None
    tokens: tuple[ApiToken, ...] = ()
    sealed: tuple[Sealed, ...] = ()

    def known(self) -> "Known | None":
        """The tenant, or none where it is gone."""
        facts = facts_of(self.document, self.revision)
        return Known(self.revision, facts, self.tokens, self.sealed) if facts else None


@dataclass(frozen=True)
class Known:
    """A tenant, and the revision that says so. Decisions name it."""

    revision: int
    facts: TenantFacts
    tokens: tuple[ApiToken, ...] = ()
    sealed: tuple[Sealed, ...] = ()

    @property
    def tenant_id(self) -> str:
        """Whose all this is."""
        return self.facts.id


@dataclass(frozen=True)
class Unknown:
    """Nobody owns it, as of this revision of the directory. It is never said because Postgres is away."""

    revision: int


class Holding:
    """The memory. It only keeps: who asks whether something is still so asks elsewhere."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tenants: dict[str, Known] = {}
        self._records: dict[str, TenantRecord] = {}
        self._read_at: dict[str, float] = {}
        self._owner: dict[Workspace, str] = {}
        self._unknown: dict[Workspace, tuple[Unknown, float]] = {}

    def tenant(self, tenant_id: str) -> Known | None:
        """A tenant, if it is known."""
        return self._tenants.get(tenant_id)

    def owner_of(self, workspace: Workspace) -> Known | None:
        """Whose workspace it is, if that is known."""
        owner = self._owner.get(workspace)
        return None if owner is None else self._tenants.get(owner)

    def unowned(self, workspace: Workspace, now: float) -> Unknown | None:
        """That nobody owns it, if that was found out a short while ago."""
        found = self._unknown.get(workspace)
        if found is None or found[1] <= now:
            return None
        return found[0]

    def read_at(self, tenant_id: str) -> float:
        """When the last read of a tenant began."""
        return self._read_at.get(tenant_id, float("-inf"))

    def keep(self, record: TenantRecord, read_at: float) -> Known | None:
        """Takes in what was read, in place of what was known; a database that was restored counts from lower down."""
        known = record.known()
        self._forget_workspaces(record.tenant_id)
        for each in (self._tenants, self._records, self._read_at):
            each.pop(record.tenant_id, None)
        if known is None:
            return None
        self._tenants[record.tenant_id], self._records[record.tenant_id] = known, record
        self._read_at[record.tenant_id] = read_at
        for connection in known.facts.connections:
            self._owner[connection.channel_type, connection.workspace] = record.tenant_id
        while len(self._tenants) > self._most:
            self.forget(next(iter(self._tenants)))
        return known

    def keep_unowned(self, workspace: Workspace, unknown: Unknown, until: float) -> None:
        """Takes in that nobody owns a workspace, for a while."""
        self._owner.pop(workspace, None)
        self._unknown[workspace] = (unknown, until)
        while len(self._unknown) > self._most:
            del self._unknown[next(iter(self._unknown))]

    def doubt(self, tenant_id: str) -> None:
        """What is known of a tenant may be old: it is to be read again."""
        if tenant_id in self._read_at:
            self._read_at[tenant_id] = float("-inf")

    def doubt_unowned(self) -> None:
        """Something changed: what nobody owned may have an owner now."""
        self._unknown.clear()

    def forget(self, tenant_id: str) -> None:
        """Lets a tenant go."""
        self._forget_workspaces(tenant_id)
        for each in (self._tenants, self._records, self._read_at):
            each.pop(tenant_id, None)

    def ids(self) -> list[str]:
        """Every tenant that is known."""
        return list(self._tenants)

    def records(self) -> tuple[TenantRecord, ...]:
        """Everything, for the snapshot."""
        return tuple(self._records.values())

    def __len__(self) -> int:
        return len(self._tenants)

    def _forget_workspaces(self, tenant_id: str) -> None:
        known = self._tenants.get(tenant_id)
        for connection in known.facts.connections if known else ():
            key = (connection.channel_type, connection.workspace)
            if self._owner.get(key) == tenant_id:
                del self._owner[key]
