"""A browser for the whole run, and for each test a page of its own that looks at a simulator of its own."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from services.slack_sim.simulation import Simulation
from tests.browser.chat import Chat, Opener
from tests.slack_sim.conftest import bot, first, sim, slack
from tests.slack_sim.first import First

__all__ = ["bot", "first", "sim", "slack"]

PATIENCE_MS = 30_000
NAMES = ("chromium", "chromium-browser", "google-chrome")

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, without a screen."""
    async with async_playwright() as playwright:
        places = (*map(shutil.which, NAMES), playwright.chromium.executable_path)
        installed = next((place for place in places if place and Path(place).exists()), None)
        if installed is None:
            pytest.skip("the browser tests need Chromium, and it is not here: `apt-get install chromium`")
        started = await playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest.fixture
async def opened(browser: Browser, slack: Simulation, first: First) -> AsyncIterator[Opener]:
    """Opens pages. None of them may have said that something went wrong in it."""
    opener = Opener(browser, slack, first, PATIENCE_MS)
    try:
        yield opener
    finally:
        await opener.close()
    assert opener.problems == []


@pytest.fixture
async def chat(opened: Opener) -> Chat:
    """One page, at its first visit."""
    return await opened()
