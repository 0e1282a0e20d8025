"""A dashboard as Grafana reads it: its classic JSON, which every version since 10 takes in and current ones convert."""

import json
from collections.abc import Iterator
from typing import Any, Final, TypeAlias
from zlib import crc32

from threadline.dashboards.panel import Dashboard, Panel
from threadline.dashboards.runbooks import Alert

Json: TypeAlias = dict[str, Any]

SCHEMA_VERSION: Final = 39
"""Of Grafana 11; later ones bring it up to theirs when they load it."""
TAG: Final = "threadline"
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS: Final = 24
SIZES: Final = {"stat": (4, 4), "timeseries": (8, 8), "state-timeline": (24, 6)}
"""Columns and rows of a panel."""
RUNBOOKS: Final = "docs/runbooks"


def page(dashboard: Dashboard, alerts: list[Alert]) -> str:
    """The file."""
    return json.dumps(_dashboard(dashboard, alerts), indent=2, ensure_ascii=False) + "\n"


def _dashboard(dashboard: Dashboard, alerts: list[Alert]) -> Json:
    return {
        "annotations": {"list": []},
        "description": dashboard.help,
        "editable": True,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "id": None,
        "links": [_others()],
        "panels": list(_panels(dashboard, alerts)),
        "refresh": "30s",
        "schemaVersion": SCHEMA_VERSION,
        "tags": [TAG],
        "templating": {"list": list(_variables(dashboard))},
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "title": dashboard.title,
        "uid": dashboard.uid,
        "weekStart": "",
    }


def _others() -> Json:
    """The other dashboards, above each of them."""
    return {
        "asDropdown": False,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "tags": [TAG],
        "targetBlank": False,
        "title": "",
        "tooltip": "",
        "type": "dashboards",
        "url": "",
    }


def _variables(dashboard: Dashboard) -> Iterator[Json]:
    yield {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}
    yield _choice("job", 'label_values(up{job=~"threadline-.+"}, job)', "threadline-.+")
    yield _choice("instance", 'label_values(up{job=~"$job"}, instance)', ".+")
    if any("$app" in query.expr for panel in dashboard.panels for query in panel.queries):
        yield _choice("app", "label_values(threadline_slack_socket_state, app)", ".+")
    yield {
        "name": "runbooks",
        "label": "runbooks at",
        "description": f"Where {RUNBOOKS} of the repository is served for you.",
        "type": "textbox",
        "query": RUNBOOKS,
        "current": {"text": RUNBOOKS, "value": RUNBOOKS},
        "options": [{"selected": True, "text": RUNBOOKS, "value": RUNBOOKS}],
        "hide": 0,
    }


def _choice(name: str, query: str, everything: str) -> Json:
    return {
        "name": name,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": everything,
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
    }


def _panels(dashboard: Dashboard, alerts: list[Alert]) -> Iterator[Json]:
    """Rows below each other, and in a row what fits beside each other and is as high."""
    y = 0
    for row in dashboard.rows:
        place = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
        yield {
            "collapsed": False,
            "gridPos": place,
            "id": _id(dashboard, f"row {row.title}"),
            "panels": [],
            "title": row.title,
            "type": "row",
        }
        x, y, below = 0, y + 1, 0
        for panel in row.panels:
            width, height = SIZES[panel.kind]
            if x + width > COLUMNS or (x and height != below):
                x, y, below = 0, y + below, 0
            place = {"h": height, "w": width, "x": x, "y": y}
            yield _panel(panel, _id(dashboard, panel.title), place, alerts)
            x, below = x + width, height
        y += below


def _id(dashboard: Dashboard, title: str) -> int:
    """Of its title: another panel before it changes nothing, and links to it stay good."""
    return crc32(f"{dashboard.uid}/{title}".encode()) % 1_000_000 + 1


def _panel(panel: Panel, number: int, place: Json, alerts: list[Alert]) -> Json:
    mine = [alert for alert in alerts if alert.is_about(panel.names)]
    told = "".join(f"\n\n{each.name} ({each.severity}): `{each.runbook}`" for each in mine)
    return {
        "datasource": DATASOURCE,
        "description": panel.help + told,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "gridPos": place,
        "id": number,
        "links": [
            {"targetBlank": True, "title": f"Runbook: {each.name}", "url": f"${{runbooks}}/{each.name}.md"}
            for each in mine
        ],
        "options": _options(panel),
        "targets": [
            {
                "datasource": DATASOURCE,
                "editorMode": "code",
                "expr": query.expr,
                "instant": panel.kind == "stat",
                "legendFormat": query.legend or panel.title,
                "range": panel.kind != "stat",
                "refId": chr(ord("A") + place),
            }
            for place, query in enumerate(panel.queries)
        ],
        "title": panel.title,
        "type": panel.kind,
    }


def _defaults(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    steps += [{"color": colour, "value": value} for value, colour in panel.limits]
    common: Json = {
        "mappings": [],
        "noValue": "none yet",
        "thresholds": {"mode": "absolute", "steps": steps},
        "unit": panel.unit,
    }
    match panel.kind:
        case "stat":
            return {**common, "color": {"mode": "thresholds"}}
        case "state-timeline":
            named = {
                str(place): {"color": colour, "index": place, "text": name}
                for place, (name, colour) in enumerate(panel.states)
            }
            mappings = [{"type": "value", "options": named}]
            return {**common, "mappings": mappings, "color": {"mode": "thresholds"}, "custom": {"fillOpacity": 70}}
        case "timeseries":
            custom = {
                "drawStyle": "line",
                "fillOpacity": 8,
                "lineWidth": 1,
                "showPoints": "never",
                "spanNulls": False,
                "thresholdsStyle": {"mode": "dashed" if panel.limits else "off"},
            }
            return {**common, "min": 0, "color": {"mode": "palette-classic"}, "custom": custom}


def _options(panel: Panel) -> Json:
    match panel.kind:
        case "stat":
            return {
                "colorMode": "value",
                "graphMode": "none",
                "justifyMode": "auto",
                "orientation": "auto",
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                "textMode": "auto" if len(panel.queries) == 1 else "value_and_name",
            }
        case "state-timeline":
            return {
                "alignValue": "left",
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
                "mergeValues": True,
                "rowHeight": 0.8,
                "showValue": "auto",
                "tooltip": {"mode": "single", "sort": "none"},
            }
        case "timeseries":
            return {
                "legend": {
                    "calcs": ["lastNotNull", "max"],
                    "displayMode": "table",
                    "placement": "bottom",
                    "showLegend": True,
                },
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
