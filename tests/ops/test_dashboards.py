"""The dashboards are about metrics that there are, leave none out, and are what Grafana reads."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.ingress import metrics as ingress
from services.ingress.decisions.link_state import STATES
from services.kit.telemetry.catalogue import Counter, prometheus_name
from services.responder import metrics as responder
from services.router import metrics as router
from tests.ops.alerts import KNOWN, ROOT, alerts, grouped, labels_of, may_be, metrics_in, selectors
from threadline.dashboards import expressions as ask
from threadline.dashboards.catalogue import DASHBOARDS
from threadline.dashboards.expressions import FOREIGN, NotDeclared, Query
from threadline.measured import METRICS

FOLDER = ROOT / "infra/grafana/dashboards"
PAGES: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
NOT_SHOWN: dict[str, str] = {}
"""By name, why a metric stands on no panel."""

each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())


def panels(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Those that ask something."""
    return [panel for panel in page["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """Of every panel."""
    for page in PAGES.values():
        yield from (target["expr"] for panel in panels(page) for target in panel["targets"])


def test_there_is_a_page_for_each_dashboard() -> None:
    assert {page["uid"] for page in PAGES.values()} == {each.uid for each in DASHBOARDS}


def test_every_metric_stands_on_a_panel_or_a_reason_says_why_not() -> None:
    shown = {prometheus_name(metric) for each in DASHBOARDS for panel in each.panels for metric in panel.metrics}
    assert {prometheus_name(metric) for metric in METRICS} - shown == NOT_SHOWN.keys()


def test_a_panel_is_about_the_metrics_that_its_expressions_name() -> None:
    for panel in (panel for each in DASHBOARDS for panel in each.panels):
        named = {found.name for query in panel.queries for found in selectors(query.expr)} - {"up"}
        assert {KNOWN[name] for name in named} == panel.metrics, panel.title


@pytest.mark.parametrize("expr", sorted(set(expressions())))
def test_an_expression_names_metrics_and_labels_that_there_are(expr: str) -> None:
    assert selectors(expr) or any(name in expr for name in (*FOREIGN, "ALERTS"))
    for found in selectors(expr):
        for label, value in found.values:
            assert label in labels_of(found.name), found
            assert value.startswith("$") or may_be(found.name, label, value), found
        assert grouped(expr) <= labels_of(found.name)


@each_page
def test_a_page_is_found_again_and_fits_on_the_screen(page: dict[str, Any]) -> None:
    assert re.fullmatch(r"threadline-[a-z]{1,29}", page["uid"]), "an address of 8 to 40 characters"
    assert page["id"] is None, "a number that each Grafana gives itself"
    numbers = [panel["id"] for panel in page["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in page["panels"]):
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert all(x < 24 for x, _ in cells)
        assert not cells & taken
        taken |= cells


@each_page
def test_a_panel_can_be_drawn(page: dict[str, Any]) -> None:
    titles = [panel["title"] for panel in panels(page)]
    assert len(set(titles)) == len(titles)
    for panel in panels(page):
        assert panel["description"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert [target["refId"] for target in panel["targets"]] == [
            chr(ord("A") + place) for place in range(len(panel["targets"]))
        ]
        for target in panel["targets"]:
            assert target["instant"] is not target["range"]
            named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert named <= grouped(target["expr"]) or not grouped(target["expr"])


@each_page
def test_every_variable_that_is_used_can_be_chosen(page: dict[str, Any]) -> None:
    offered = {variable["name"] for variable in page["templating"]["list"]}
    used = {name for name in re.findall(r"\$\{?(\w+)", json.dumps(page)) if not name.startswith("__")}
    assert used == offered


def test_a_panel_leads_to_the_runbook_of_every_alert_about_its_metric() -> None:
    linked: dict[str, set[str]] = {}
    for page in PAGES.values():
        for panel in panels(page):
            about = {family(found.name) for each in panel["targets"] for found in selectors(each["expr"])}
            for link in panel["links"]:
                name = link["url"].removeprefix("${runbooks}/").removesuffix(".md")
                assert (ROOT / "docs/runbooks" / f"{name}.md").is_file()
                linked.setdefault(name, set()).update(about)
    for alert in alerts():
        assert {family(name) for name in metrics_in(alert.expr)} <= linked.get(alert.name, set()), alert.name


def test_an_alert_leads_to_a_dashboard_on_which_its_metric_stands() -> None:
    links = {
        f"/d/{page['uid']}": [link["url"] for panel in panels(page) for link in panel["links"]]
        for page in PAGES.values()
    }
    for alert in alerts():
        assert f"${{runbooks}}/{alert.name}.md" in links[alert.annotations["dashboard_url"]], alert.name


def family(series: str) -> str:
    """The metric that a series is of."""
    return "up" if series == "up" else prometheus_name(KNOWN[series])


STRANGER = Counter("threadline_router_dreams", "Nothing declares it.")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (lambda: ask.per_second(STRANGER), "stands in no catalogue"),
        (
            lambda: ask.per_second(responder.RUN_SECONDS),  # type: ignore[arg-type]  # what mypy sees, too
            "is a histogram, and is used as a counter",
        ),
        (
            lambda: ask.total(router.DECISIONS),  # type: ignore[arg-type]  # what mypy sees, too
            "is a counter, and is used as a gauge",
        ),
        (
            lambda: ask.percentile(0.5, router.LAG),  # type: ignore[arg-type]  # what mypy sees, too
            "is a gauge, and is used as a histogram",
        ),
        (lambda: ask.per_second(router.DECISIONS, "reason"), "has no label reason"),
        (lambda: ask.per_second(router.DECISIONS, kind="lost"), "kind is never lost"),
        (lambda: ask.of_process("node_load1"), "no series that every process has"),
    ],
    ids=["stranger", "histogram as counter", "counter as gauge", "gauge as histogram", "label", "value", "process"],
)
def test_what_no_catalogue_declares_so_is_refused(asked: Callable[[], Query], why: str) -> None:
    with pytest.raises(NotDeclared, match=why):
        asked()


def test_a_gauge_of_one_in_seven_becomes_the_place_of_that_one() -> None:
    told = ask.code_of(ingress.SOCKET_STATE, "state", STATES, "slot").expr
    for place, state in enumerate(STATES):
        assert re.search(rf'state="{state}"[^)]*\) \* {place}( \+|$)', told), state
