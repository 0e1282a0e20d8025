"""The supervisor's page in a real browser: on a phone, live, with the keyboard, without scripts, after a restart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.conftest import fresh, topics_of
from tests.databases import Databases
from tests.supervisor.visitor import Looking, looking

PHONE, DESK = {"width": 360, "height": 780}, {"width": 1280, "height": 860}
TOUCHED = """[...document.querySelectorAll('.button, textarea')].filter(each => each.checkVisibility())
    .map(each => [each.textContent.trim(), each.getBoundingClientRect().height])"""
SHIFTS = """new Promise(done => {
    let all = 0;
    new PerformanceObserver(list => list.getEntries().forEach(each => all += each.value))
        .observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => done(all), 300);
})"""
WEIGHT = """performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
    .filter(each => !each.name.endsWith('/live')).reduce((sum, each) => sum + each.transferSize, 0)"""


@pytest.fixture(scope="module")
async def bed(brokers: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Looking]:
    """One for all tests of a module."""
    async with topics_of(fresh(brokers)) as kafka, looking(kafka, databases, tmp_path_factory.mktemp("page")) as found:
        yield found


@asynccontextmanager
async def opened(
    browser: Browser, *, phone: bool = False, scheme: Literal["light", "dark"] = "light", scripts: bool = True
) -> AsyncIterator[Page]:
    """A page of its own, which must not say that something went wrong in it."""
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        expected = any(each in message.text for each in ("ERR_CONNECTION_REFUSED", "status of 4"))
        if message.type in {"error", "warning"} and not expected:
            problems.append(message.text)

    context = await browser.new_context(
        viewport=PHONE if phone else DESK,  # type: ignore[arg-type]  # the two are what it takes
        color_scheme=scheme,
        has_touch=phone,
        is_mobile=phone,
        java_script_enabled=scripts,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    page.on("console", heard)
    page.on("pageerror", lambda error: problems.append(error.message))
    try:
        yield page
    finally:
        await context.close()
    assert problems == []


async def sign_in(page: Page, bed: Looking) -> None:
    """As Anna does, through Slack's own page."""
    await page.goto(f"{bed.address}/in/slack/begin")
    await page.get_by_label("You are").select_option(bed.first.you)
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_role("heading", name="Going on")).to_be_visible()


async def fits(page: Page) -> bool:
    """Whether nothing is wider than the screen."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


async def test_approved_by_a_touch_on_a_phone(browser: Browser, bed: Looking) -> None:
    agent = bed.agent("phone")
    await agent.start(task_name="Deploy version 4 of the shop", repo_scope="acme/shop")
    name = await agent.ask_to("deploy to production", {"command": "kubectl apply -f " + "very-long-name-" * 20})
    async with opened(browser, phone=True) as page:
        await sign_in(page, bed)
        await expect(page.locator("body[data-live]")).to_be_attached()
        card = page.locator(".approval").filter(has_text="deploy to production")
        await expect(card.locator("pre")).to_contain_text("kubectl apply")
        assert await fits(page)
        for words, height in await page.evaluate(TOUCHED):
            assert height >= 40, words
        await card.get_by_role("button", name="Approve").tap()
        await expect(page.get_by_role("status").first).to_contain_text("Approved. Its agent is told.")
        await expect(card).to_have_count(0)
        assert (await agent.answer(name))["decided_by"] == bed.first.you
        await page.get_by_role("link", name="Deploy version 4 of the shop").first.tap()
        await expect(page.get_by_text("Approved by you")).to_be_visible()
        assert await fits(page)
    await agent.end()


async def test_what_changes_shows_at_once_and_what_is_typed_stays(browser: Browser, bed: Looking) -> None:
    agent = bed.agent("live")
    await agent.start(task_name="Write the report")
    await agent.ask_to("send it", {"to": "everybody"})
    async with opened(browser) as page:
        await page.goto(bed.way_in("acme"))
        await expect(page.get_by_role("heading", name="Going on")).to_be_visible()
        await sign_in(page, bed)
        await page.goto(f"{bed.address}/show/{agent.task_id}")
        await expect(page.locator("body[data-live]")).to_be_attached()
        assert await page.evaluate(SHIFTS) < 0.02
        assert await page.evaluate(WEIGHT) < 60_000
        await page.get_by_text("Reject…").focus()
        await page.keyboard.press("Enter")
        await page.get_by_label("Why not?").fill("Not before the lawyers")
        await agent.checkpoint("Halfway there", progress=0.5, cost_usd=1.25)
        await expect(page.get_by_text("Halfway there").first).to_be_visible()
        await expect(page.locator("progress").first).to_have_attribute("value", "0.5000")
        await expect(page.get_by_label("Why not?")).to_have_value("Not before the lawyers")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator(".approval .quote")).to_have_text("Not before the lawyers")
        await page.get_by_text("Cancel…").click()
        await page.get_by_role("button", name="Yes, cancel it").click()
        await expect(page.get_by_text("You wanted it to end")).to_be_visible()
        await agent.end("cancelled")
        await expect(page.locator(".task .pill")).to_contain_text("Cancelled")


async def test_without_scripts_every_button_works(browser: Browser, bed: Looking) -> None:
    agent = bed.agent("plain", "initech")
    await agent.start()
    name = await agent.ask_to("go plain", {})
    async with opened(browser, scripts=False) as page:
        await page.goto(bed.way_in("initech"))
        await expect(page.get_by_text("go plain").first).to_be_visible()
        await page.get_by_role("button", name="Approve").click()
        await expect(page.get_by_text("Approved. Its agent is told.")).to_be_visible()
        assert (await agent.answer(name))["state"] == "approved"
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("link", name="Sign in again").click()
        await expect(page.get_by_role("heading", name="Supervised agents")).to_be_visible()
    await agent.end()


async def test_a_page_comes_back_with_the_supervisor(browser: Browser, bed: Looking) -> None:
    agent = bed.agent("restart")
    await agent.start(task_name="Outlive it")
    async with opened(browser) as page:
        await page.goto(bed.way_in("acme"))
        await expect(page.get_by_role("heading", name="Outlive it")).to_be_visible()
        await expect(page.locator("body[data-live]")).to_be_attached()
        await bed.supervisor.child.stop()
        await expect(page.locator("#offline")).to_be_visible()
        async with bed.again():
            await expect(page.locator("#offline")).to_be_hidden()
            await agent.checkpoint("Here again")
            await expect(page.get_by_text("Here again")).to_be_visible()
            await agent.end()
