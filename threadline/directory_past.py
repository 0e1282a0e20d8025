"""The directory as each of its revisions had it, for commands that take decisions again."""

from collections.abc import Iterable, Mapping

from services.directory import history
from services.directory.document import Tenant, TenantFacts
from services.directory.owner import OwnerDatabase
from services.router.replay.directories import Forgotten, Reading


def standing(described: Tenant, applied: TenantFacts | None) -> TenantFacts:
    """A tenant of a file as it would stand once it is applied: apps that were installed through OAuth stay."""
    found = described.standing()
    stay = tuple(each for each in applied.installations if each.origin == "oauth") if applied is not None else ()
    return found.model_copy(update={"installations": (*found.installations, *stay)})


def forgotten_by(owner: OwnerDatabase) -> Forgotten:
    """Reads whom the directory has forgotten."""

    async def read() -> Mapping[str, int]:
        async with owner.begin() as connection:
            return await history.forgotten(connection)

    return read


def as_recorded(owner: OwnerDatabase) -> Reading:
    """Reads a revision whole; the newest, where none is named."""

    async def read(revision: int | None) -> Iterable[TenantFacts]:
        async with owner.begin() as connection:
            whole = await history.whole(connection, revision)
        return [each.facts for each in whole.values() if each.facts is not None]

    return read
