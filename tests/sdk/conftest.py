"""A supervisor for each test, and a program that has reported nothing yet."""

import logging
from collections.abc import Iterator

import pytest

import threadline_agent
from tests.sdk.supervisor import TOKEN, Supervisor
from threadline_agent import line, notices, settings


@pytest.fixture(autouse=True)
def nothing_said(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What one test configured, reported and was told of is not the next one's."""
    caplog.set_level(logging.INFO, "threadline_agent")
    notices._said.clear()
    yield
    line._lines.clear()
    settings._told = settings.Settings()


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """One that this process reports to."""
    with Supervisor().running() as running:
        threadline_agent.configure(url=running.url, token=TOKEN)
        yield running
