"""The directory as each of its revisions had it, for commands that take decisions again."""

from collections.abc import Iterable

from services.directory import history
from services.directory.document import TenantFacts
from services.directory.owner import OwnerDatabase
from services.router.replay.directories import Reading


def as_recorded(owner: OwnerDatabase) -> Reading:
    """Reads a revision whole; the newest, where none is named."""

    async def read(revision: int | None) -> Iterable[TenantFacts]:
        async with owner.begin() as connection:
            whole = await history.whole(connection, revision)
        return [each.facts for each in whole.values() if each.facts is not None]

    return read
