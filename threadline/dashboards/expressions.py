"""What a panel asks Prometheus: expressions over declared metrics. What is not declared so is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from services.kit.telemetry.catalogue import Counter, Gauge, Histogram, Metric, prometheus_name
from threadline.measured import METRICS

RATE: Final = "[$__rate_interval]"
RANGE: Final = "[$__range]"
TARGETS: Final = ('job=~"$job"', 'instance=~"$instance"')
"""Every series is of a process, and the dashboard says which."""
OF_TARGETS: Final = ("job", "instance")
CHOSEN: Final = {"app": '"$app"'}
"""Labels by which a dashboard can be narrowed, wherever a metric has them."""
FOREIGN: Final = (
    "up",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
    "process_start_time_seconds",
)
"""Series of each process that Prometheus or its client for Python make, and no catalogue of ours."""

Wanted: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""By label, the value that it has, or those of which it has one."""


class NotDeclared(ValueError):
    """A panel asks for what no catalogue declares."""


@dataclass(frozen=True)
class Query:
    """One expression, what its series are called, and the metrics that it is about."""

    expr: str
    legend: str
    metrics: frozenset[Metric] = frozenset()
    others: frozenset[str] = frozenset()
    """Series that no catalogue of ours declares."""

    def named(self, legend: str) -> "Query":
        """The same by another name; `{{label}}` stands for what the label says."""
        return replace(self, legend=legend)


def per_second(counter: Counter, *by: str, **labels: str | tuple[str, ...]) -> Query:
    """How often, a second."""
    return _gathered(f"rate({_series(counter, Counter, by, labels)}{RATE})", counter, by)


def per_hour(counter: Counter, *by: str, **labels: str | tuple[str, ...]) -> Query:
    """How often, an hour."""
    found = per_second(counter, *by, **labels)
    return replace(found, expr=f"{found.expr} * 3600")


def in_range(counter: Counter, *by: str, **labels: str | tuple[str, ...]) -> Query:
    """How often in all the time that is shown."""
    return _gathered(f"increase({_series(counter, Counter, by, labels)}{RANGE})", counter, by)


def total(gauge: Gauge, *by: str, **labels: str | tuple[str, ...]) -> Query:
    """All of them together."""
    return _gathered(_series(gauge, Gauge, by, labels), gauge, by)


def worst(gauge: Gauge, *by: str, **labels: str | tuple[str, ...]) -> Query:
    """The highest of them."""
    return _gathered(_series(gauge, Gauge, by, labels), gauge, by, "max")


def percentile(
    share: float, histogram: Histogram, *by: str, over: str = RATE, **labels: str | tuple[str, ...]
) -> Query:
    """What so many of a hundred stay below."""
    gathered = _gathered(f"rate({_series(histogram, Histogram, by, labels, '_bucket')}{over})", histogram, (*by, "le"))
    named = " ".join([_legend(by), f"p{share * 100:g}"]).strip()
    return replace(gathered, expr=f"histogram_quantile({share}, {gathered.expr})", legend=named)


def observed(histogram: Histogram, *by: str, **labels: str | tuple[str, ...]) -> Query:
    """How often it was measured, a second."""
    return _gathered(f"rate({_series(histogram, Histogram, by, labels, '_count')}{RATE})", histogram, by)


def share(part: Query, whole: Query) -> Query:
    """One as a part of the other."""
    return Query(f"{part.expr} / {whole.expr}", part.legend, part.metrics | whole.metrics)


def code_of(gauge: Gauge, label: str, values: tuple[str, ...], *by: str) -> Query:
    """Of a gauge that is 1 for one value of a label: the place of that value, counted from 0."""
    terms = [f"{total(gauge, *by, **{label: value}).expr} * {place}" for place, value in enumerate(values)]
    return Query(" + ".join(terms), _legend(by), frozenset({gauge}))


def of_process(name: str, around: str = "{}", legend: str = "{{job}} {{instance}}") -> Query:
    """A series that each process has, within an expression."""
    if name not in FOREIGN:
        raise NotDeclared(f"{name} is no series that every process has: {', '.join(FOREIGN)}")
    return Query(around.format(f"{name}{{{','.join(TARGETS)}}}"), legend, others=frozenset({name}))


def alerts_firing(*by: str, **labels: str) -> Query:
    """How many alerts fire. Where none does there is no series of them, and it is 0."""
    chosen = ",".join(f'{name}="{value}"' for name, value in {"alertstate": "firing", **labels}.items())
    return Query(f"sum{_by(by)} (ALERTS{{{chosen}}}) or vector(0)", _legend(by))


def _series(metric: Metric, kind: type[Metric], by: Iterable[str], wanted: Wanted, part: str = "") -> str:
    name = prometheus_name(metric)
    if metric not in METRICS:
        raise NotDeclared(f"{name} stands in no catalogue of threadline/measured.py")
    if not isinstance(metric, kind):
        raise NotDeclared(f"{name} is a {type(metric).__name__.lower()}, and is used as a {kind.__name__.lower()}")
    for label in (*by, *wanted):
        if label not in metric.labels and label not in OF_TARGETS:
            raise NotDeclared(f"{name} has no label {label}")
    chosen = [f"{label}=~{choice}" for label, choice in CHOSEN.items() if label in metric.labels]
    return f"{name}{part}{{{','.join([*(_matcher(metric, *each) for each in wanted.items()), *chosen, *TARGETS])}}}"


def _matcher(metric: Metric, label: str, value: str | tuple[str, ...]) -> str:
    values = (value,) if isinstance(value, str) else value
    allowed = metric.labels[label]
    for each in values:
        if allowed is not None and each not in allowed:
            raise NotDeclared(f"{prometheus_name(metric)}: {label} is never {each}")
    return f'{label}="{value}"' if isinstance(value, str) else f'{label}=~"{"|".join(value)}"'


def _gathered(inner: str, metric: Metric, by: tuple[str, ...], how: str = "sum") -> Query:
    return Query(f"{how}{_by(by)} ({inner})", _legend(by), frozenset({metric}))


def _by(by: tuple[str, ...]) -> str:
    return f" by ({', '.join(by)})" if by else ""


def _legend(by: Iterable[str]) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in by)
