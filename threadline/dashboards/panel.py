"""What a dashboard is declared as: rows of panels, each a question with the expressions that answer it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from services.kit.telemetry.catalogue import Metric, prometheus_name
from threadline.dashboards.expressions import Query

Kind: TypeAlias = Literal["timeseries", "stat", "state-timeline"]
"""As Grafana calls them."""
Limits: TypeAlias = tuple[tuple[float, str], ...]
"""From which value on it has which colour. Below the first it is green."""

NONE_AT_ALL: Final[Limits] = ((1, "red"),)
"""Each one is one too many."""


@dataclass(frozen=True)
class Panel:
    """One question."""

    title: str
    unit: str
    """As Grafana names it: `short`, `s`, `bytes`, `ops`, `percentunit`, `currencyUSD`."""
    help: str
    """What it tells an operator, in words."""
    queries: tuple[Query, ...]
    kind: Kind = "timeseries"
    limits: Limits = ()
    states: tuple[tuple[str, str], ...] = ()
    """What the numbers 0, 1, 2… stand for, each with a colour."""

    @property
    def metrics(self) -> frozenset[Metric]:
        """Those of the catalogue that it is about."""
        return frozenset[Metric]().union(*(query.metrics for query in self.queries))

    @property
    def names(self) -> frozenset[str]:
        """What Prometheus calls them, and the series of others."""
        others = frozenset[str]().union(*(query.others for query in self.queries))
        return others.union(map(prometheus_name, self.metrics))


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Dashboard:
    """One page. Its uid is its address: it stays."""

    uid: str
    title: str
    help: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> list[Panel]:
        """Of all rows."""
        return [panel for row in self.rows for panel in row.panels]


def lines(title: str, unit: str, told: str, *queries: Query, limits: Limits = ()) -> Panel:
    """How it went over time."""
    return Panel(title, unit, told, queries, limits=limits)


def number(title: str, unit: str, told: str, *queries: Query, limits: Limits = ()) -> Panel:
    """How it stands, large."""
    return Panel(title, unit, told, queries, "stat", limits)


def states(title: str, told: str, query: Query, named: Mapping[str, str]) -> Panel:
    """Which of some states it was in, over time; each state with its colour."""
    return Panel(title, "none", told, (query,), "state-timeline", states=tuple(named.items()))
