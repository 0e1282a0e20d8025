"""The rules of Prometheus and their cases, as they stand in their files, and what expressions name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from services.kit.telemetry.catalogue import Histogram, Metric, prometheus_name
from threadline.measured import METRICS

ROOT: Final = Path(__file__).parents[2]
PROMETHEUS: Final = ROOT / "infra/prometheus"
RULES: Final = sorted(PROMETHEUS.glob("rules/*.yaml"))
CASES: Final = sorted(PROMETHEUS.glob("tests/*.test.yaml"))

_SELECTOR = re.compile(r"\b(threadline[_:][a-z0-9_:]+|up)\b(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPED = re.compile(r"\b(?:by|without|on|ignoring) \(([^)]*)\)")


@dataclass(frozen=True)
class Alert:
    """One rule that tells somebody."""

    name: str
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """Series that were, and whether an alert is to fire."""

    alert: str
    fires: bool
    series: tuple[str, ...]


@dataclass(frozen=True)
class Selector:
    """What an expression takes, or a series is called: a name, and values of labels."""

    name: str
    values: tuple[tuple[str, str], ...]
    """Label and value; of a regular expression each alternative."""


def read(path: Path) -> Any:
    """A file of YAML."""
    return YAML(typ="safe").load(path.read_text("utf-8"))


def rules() -> Iterator[dict[str, Any]]:
    """Every rule of every file."""
    for path in RULES:
        for group in read(path)["groups"]:
            yield from group["rules"]


def alerts() -> list[Alert]:
    """Those that tell somebody."""
    return [
        Alert(each["alert"], each["expr"], each["labels"], each["annotations"]) for each in rules() if "alert" in each
    ]


@cache
def recorded() -> dict[str, str]:
    """By the name under which it is kept, what is worked out beforehand."""
    return {each["record"]: each["expr"] for each in rules() if "record" in each}


@cache
def cases() -> list[Case]:
    """Every case. One in which an alert fires also asks a moment before."""
    found = []
    for path in CASES:
        for case in read(path)["tests"]:
            (alert,) = {asked["alertname"] for asked in case["alert_rule_test"]}
            fires = any(asked["exp_alerts"] for asked in case["alert_rule_test"])
            found.append(Case(alert, fires, tuple(each["series"] for each in case["input_series"])))
    return found


def selectors(expr: str) -> list[Selector]:
    """What an expression takes."""
    found = []
    for name, matchers in _SELECTOR.findall(expr):
        values = []
        for label, how, value in _MATCHER.findall(matchers):
            values += [(label, each) for each in (value.split("|") if "~" in how else [value])]
        found.append(Selector(name, tuple(values)))
    return found


def grouped(expr: str) -> set[str]:
    """The labels by which an expression gathers."""
    return {label.strip() for labels in _GROUPED.findall(expr) for label in labels.split(",")}


def metrics_in(expr: str) -> set[str]:
    """The series that an expression comes from in the end, through what is worked out beforehand."""
    known, names = recorded(), set[str]()
    for each in selectors(expr):
        names |= metrics_in(known[each.name]) if each.name in known else {each.name}
    return names


def series_of(metric: Metric) -> list[str]:
    """What Prometheus keeps of a metric."""
    name = prometheus_name(metric)
    return [f"{name}_{part}" for part in ("bucket", "count", "sum")] if isinstance(metric, Histogram) else [name]


KNOWN: Final[dict[str, Metric]] = {name: metric for metric in METRICS for name in series_of(metric)}
"""Every series of ours, and what declares it."""

OF_TARGETS: Final = frozenset({"job", "instance"})
"""Labels that Prometheus adds to each."""


def labels_of(name: str) -> frozenset[str]:
    """The labels of a series of ours, or of `up`."""
    if name == "up":
        return OF_TARGETS
    return OF_TARGETS.union(KNOWN[name].labels, ["le"] if name.endswith("_bucket") else [])


def may_be(name: str, label: str, value: str) -> bool:
    """Whether a label can have this value, as far as that is known beforehand."""
    if label in OF_TARGETS:
        return True
    metric = KNOWN[name]
    if label == "le":
        return isinstance(metric, Histogram) and (value == "+Inf" or float(value) in metric.buckets)
    allowed = metric.labels[label]
    return allowed is None or value in allowed
