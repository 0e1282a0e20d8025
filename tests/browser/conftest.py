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


def installed(own: str) -> str:
    """Where Chromium is: the machine's, or Playwright's own."""
    for place in (*map(shutil.which, NAMES), own):
        if place and Path(place).exists():
            return place
    pytest.skip("the browser tests need Chromium, and it is not here: `apt-get install chromium`")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, without a screen."""
    async with async_playwright() as playwright:
        chromium = installed(playwright.chromium.executable_path)
        started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest.fixture
async def opened(browser: Browser, slack: Simulation, first: First) -> AsyncIterator[Opener]:
    """Opens pages. None of them may have said that something went wrong in it."""
    opener = Opener(browser, slack.address, first, PATIENCE_MS)
    try:
        yield opener
    finally:
        await opener.close()
    assert opener.problems == []


@pytest.fixture
async def chat(opened: Opener) -> Chat:
    """One page, at its first visit."""
    return await opened()
