"""Running what needs the directory's owner, from a command."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.directory.owner import OwnerDatabase, owner_database
from threadline.running import database_settings

Answer = TypeVar("Answer")


def run_as_owner(work: Callable[[OwnerDatabase], Awaitable[Answer]]) -> Answer:
    """Signs in as the owner of the tables, works, and leaves."""

    async def all_of_it() -> Answer:
        async with owner_database(database_settings()) as owner:
            return await work(owner)

    return asyncio.run(all_of_it())
