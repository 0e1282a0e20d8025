"""Every dashboard that there is, and the files that they are written to."""

from pathlib import Path
from typing import Final

from threadline.dashboards.agents import AGENTS
from threadline.dashboards.answering import RESPONDER
from threadline.dashboards.deciding import ROUTER
from threadline.dashboards.grafana import page
from threadline.dashboards.ground import GROUND
from threadline.dashboards.overview import OVERVIEW
from threadline.dashboards.panel import Dashboard
from threadline.dashboards.runbooks import alerts_in
from threadline.dashboards.slack import INGRESS

DASHBOARDS: Final[tuple[Dashboard, ...]] = (OVERVIEW, INGRESS, ROUTER, RESPONDER, AGENTS, GROUND)


def files(rules: Path) -> dict[str, str]:
    """By name, each as Grafana reads it; its panels lead to the runbooks of the alerts in this folder of rules."""
    alerts = alerts_in(rules)
    return {f"{each.uid.removeprefix('threadline-')}.json": page(each, alerts) for each in DASHBOARDS}
