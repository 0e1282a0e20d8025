"""The page of a baseline, as a browser shows it from disk, with no network."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from bench.beds.audit_log import records
from schemas.lines import Kept, attribute
from services.report.decisions.baseline import Baseline
from services.report.decisions.composing import Wanted, baseline_of
from services.report.decisions.gathering import Gathered
from services.report.decisions.names import Revealed
from services.report.decisions.opening import Sealed, opened
from services.report.decisions.page import page
from tests.browser.conftest import browser

__all__ = ["browser"]

TOO_WIDE = """[...document.querySelectorAll("main *")].filter(each =>
  !each.closest(".scroll") && each.getBoundingClientRect().right > innerWidth + 0.5).map(each => each.outerHTML)"""
SMALLEST = """Math.min(...[...document.querySelectorAll("main *")].filter(each => each.textContent.trim())
  .map(each => parseFloat(getComputedStyle(each).fontSize)))"""


def report(log: list[Kept]) -> Baseline:
    gathered = Gathered()
    ids = [attribute(each.headers, "ce_id") or each.where for each in log]
    gathered.add(opened(Sealed(ids, [each.value for each in log], lambda _: None)))
    return baseline_of(gathered, Wanted(Revealed()))


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("events", [0, 9, 4000])
async def test_it_fits_asks_for_nothing_and_is_readable(
    browser: Browser, tmp_path: Path, width: int, scheme: Any, events: int
) -> None:
    path = tmp_path / "baseline.html"
    path.write_text(page(report(list(records(events)) if events else [])))
    context = await browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    opened_page = await context.new_page()
    said: list[str] = []
    opened_page.on("console", lambda message: said.append(message.text))
    opened_page.on("pageerror", lambda error: said.append(str(error)))
    opened_page.on("request", lambda request: said.append(request.url))
    await opened_page.goto(path.as_uri())
    assert said == [path.as_uri()]
    assert await opened_page.evaluate("document.documentElement.scrollWidth") == width
    assert await opened_page.evaluate(TOO_WIDE) == []
    assert await opened_page.evaluate(SMALLEST) >= 12
    ground = await opened_page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(251, 250, 247)" if scheme == "light" else "rgb(20, 22, 26)")
    if events == 4000:
        assert await opened_page.locator("svg.plot").count() == 4
        for text in ("Runs over time", "How long answers take", "Stops", "Rules", "Decisions and limits"):
            assert await opened_page.get_by_role("heading", name=text, exact=True).is_visible()
        await opened_page.get_by_text("By tenant", exact=False).first.click()
        assert await opened_page.get_by_text("globex").first.is_visible()
    await context.close()


def test_what_names_hold_is_text_and_no_markup() -> None:
    nasty = "<script>alert(1)</script>|`"
    at = "2026-03-02T09:15:00Z"
    value = f'{{"type":"reaction.match","at":"{at}","rule_name":"{nasty}","tenant_id":"{nasty}"}}'.encode()
    gathered = Gathered()
    gathered.add(opened(Sealed(["1"], [value], lambda _: None)))
    made = page(baseline_of(gathered, Wanted(Revealed())))
    assert "<script" not in made
    assert "&lt;script&gt;" in made
