"""The page as somebody uses it."""

from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page, expect

from tests.slack_sim.first import First

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}


@dataclass(frozen=True)
class Chat:
    """An open page."""

    page: Page

    @property
    def channel(self) -> Locator:
        return self.page.get_by_role("log", name="Messages", exact=True)

    @property
    def thread(self) -> Locator:
        return self.page.get_by_role("log", name="Messages in the thread")

    @property
    def composer(self) -> Locator:
        return self.page.locator("#channel-composer textarea")

    @property
    def answering(self) -> Locator:
        return self.page.locator("#thread-composer textarea")

    @property
    def modal(self) -> Locator:
        return self.page.locator("dialog#modal")

    def message(self, text: str) -> Locator:
        """A message of the channel that has this in it."""
        return self.channel.get_by_role("article").filter(has_text=text)

    def conversation(self, name: str) -> Locator:
        """A row of the sidebar."""
        return self.page.locator("#sidebar .row", has=self.page.get_by_text(name, exact=True))

    async def visit(self, name: str) -> None:
        """Goes to a conversation, and waits until it is there."""
        await self.conversation(name).click()
        await expect(self.conversation(name)).to_have_attribute("aria-current", "page")

    async def say(self, text: str) -> None:
        await self.composer.fill(text)
        await self.composer.press("Enter")
        await expect(self.composer).to_have_value("")

    async def measure(self, script: str) -> Any:
        return await self.page.evaluate(script)

    async def fits(self) -> bool:
        """Whether nothing is wider than the screen."""
        return bool(await self.measure("document.documentElement.scrollWidth <= innerWidth"))


@dataclass
class Opener:
    """Opens pages, and takes note of what goes wrong in them."""

    browser: Browser
    address: str
    """Of the simulator."""
    first: First
    patience_ms: int
    problems: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    async def __call__(
        self, *, phone: bool = False, scheme: Literal["light", "dark"] = "light", **place: str | None
    ) -> Chat:
        context = await self.browser.new_context(
            viewport=PHONE if phone else DESK,  # type: ignore[arg-type]  # the two are what it takes
            color_scheme=scheme,
            has_touch=phone,
            is_mobile=phone,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self._contexts.append(context)
        context.set_default_timeout(self.patience_ms)
        page = await context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", self._broke)
        query = urlencode({name: value for name, value in place.items() if value is not None})
        await page.goto(f"{self.address}/?{query}")
        await expect(page.locator("body[data-live]")).to_be_attached()
        return Chat(page)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            self.problems.append(message.text)

    def _broke(self, error: Error) -> None:
        self.problems.append(error.message)

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()
