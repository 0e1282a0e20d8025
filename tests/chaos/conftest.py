"""One broker and one database for all scenarios that a process of the run plays."""

from collections.abc import AsyncIterator

import pytest

from bench.chaos.stage import Ground, ground


@pytest.fixture(scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """Runs as long as the module's tests do."""
    async with ground(tmp_path_factory.mktemp("chaos")) as found:
        yield found
