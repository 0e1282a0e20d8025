"""Slows a client down while no broker answers."""

import asyncio
from typing import Any

PAUSE_S = 0.1


def pace(client: Any) -> None:
    """Pauses after an update of metadata that failed.

    aiokafka 0.14 tries again at once for as long as no broker answers, and takes a whole core for it.
    """
    update = client._metadata_update  # noqa: SLF001 - there is no setting for it, and no hook

    async def paced(*arguments: Any) -> bool:
        updated: bool = await update(*arguments)
        if not updated:
            await asyncio.sleep(PAUSE_S)
        return updated

    client._metadata_update = paced  # noqa: SLF001 - likewise
