"""A command line, and topics to read from."""

from pathlib import Path

import pytest

from services.kit.groups import KafkaSettings
from services.kit.settings import as_environment
from tests.commands import Command, said


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs `threadline report …`; gives all that it says."""

    async def run(*arguments: str, code: int = 0, given: KafkaSettings | None = None, key: str | None = None) -> str:
        environment = {"THREADLINE_HOME": str(tmp_path / "home")}
        environment |= as_environment(given) if given is not None else {}
        environment |= {"THREADLINE_REPORT_KEY": key} if key is not None else {}
        return await said(environment, tmp_path, "report", *arguments, code=code)

    return run
