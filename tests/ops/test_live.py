"""What dashboards and alerts say of `threadline up` while people ask, and while its link to Slack is cut.

The durations of the rules are divided by 30, each of them; their expressions stand as they are.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.local.product import answered
from tests.ops.live import PATIENCE_S, SLOTS, Live, Watched, living, until, watching
from tests.ops.prometheus import Prometheus, as_grafana_asks
from tests.ops.test_dashboards import PAGES, panels

DIVISOR = 30
OF_AGENTS = {
    'threadline_supervisor_requests_total{result="not_let_in"}': 1,
    'threadline_supervisor_events_total{result="refused"}': 1,
    'threadline_supervisor_events_total{result="accepted"}': 4,
    'threadline_supervisor_ended_total{status="complete"}': 1,
    'threadline_supervisor_decisions_total{outcome="approved"}': 1,
    "threadline_supervisor_decide_seconds_count": 1,
}
"""What is counted of the one task that there is."""


@pytest.fixture(scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    async with living(tmp_path_factory.mktemp("live")) as found:
        yield found


@pytest.fixture(scope="module")
async def watched(live: Live, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with watching(live, tmp_path_factory.mktemp("watching") / "prometheus", DIVISOR) as found:
        yield found


async def test_with_tokens_it_uses_that_workspace(live: Live) -> None:
    said = live.running.said()
    assert "slack-sim" not in said
    assert f"({live.first.team}) was nobody's" in said
    assert live.first.bot_token not in said
    await answered(live.sim, live.first, "hello")
    refused = [call.method for call in await live.sim.calls() if call.error == "missing_scope"]
    assert refused == []


def variables_of(page: dict[str, Any]) -> dict[str, str]:
    """Each as it is when all is chosen."""
    return {each["name"]: each["allValue"] for each in page["templating"]["list"] if "allValue" in each}


async def test_alerts_and_panels_say_what_happens(watched: Watched) -> None:
    live, asked = watched.live, watched.prometheus
    began = await asked.now()
    await live.traffic()
    await until(watched.is_connected, PATIENCE_S)
    assert await asked.firing() == set(), "all is well"

    await watched.comes_and_goes()
    await watched.comes_and_goes()
    await watched.until_firing("ReconnectWobble")
    live.link.cut()
    await watched.until_firing("AppOffline")
    live.link.mend()
    await watched.until_firing("AppOffline", firing=False)
    await watched.until_replaced(2 * SLOTS)

    ended = await asked.now()
    lived = await asked.ask("sum(threadline_slack_socket_connection_seconds_count)")
    assert float(lived[0]["value"][1]) == 3 * SLOTS, "each socket that ended, and none twice"
    for series, times in OF_AGENTS.items():
        (counted,) = await asked.ask(series)
        assert float(counted["value"][1]) == times, series
    slots = await asked.course("sum by (app, slot) (threadline_slack_socket_state)", began, ended)
    assert len(slots) == SLOTS
    assert {value for slot in slots for _, value in slot["values"]} == {"1"}, "always in one state of the seven"

    silent = [
        (name, panel["title"], target["expr"])
        for name, page in PAGES.items()
        for panel in panels(page)
        for target in panel["targets"]
        if not await returns_data(asked, target, variables_of(page), began, ended)
    ]
    assert silent == []


async def returns_data(
    asked: Prometheus, target: dict[str, Any], variables: dict[str, str], began: float, ended: float
) -> bool:
    """Whether a panel shows a number: now, or at some second since all began."""
    expr = as_grafana_asks(target["expr"], variables, ended - began)
    if target["instant"]:
        return any(series["value"][1] != "NaN" for series in await asked.ask(expr))
    course = await asked.course(expr, began, ended)
    return any(value != "NaN" for series in course for _, value in series["values"])
