"""What a metric is declared as: its name, its unit, its labels and the values that they may take."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TypeAlias

Labels: TypeAlias = Mapping[str, tuple[str, ...] | None]
"""By name, the values that a label may take; none where they are not known beforehand (an app, a tenant).

Ids of users, threads and runs are never labels: there is no end to them.
"""


SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, eq=False)
class _Declared:
    name: str
    """As Prometheus shows it, without the suffixes that it adds by kind and unit."""
    description: str
    unit: str = ""
    labels: Labels = field(default_factory=dict)

    def refuse_unless_declared(self, given: Mapping[str, str]) -> None:
        """A label that was not declared, or a value that it may not take, is a mistake of ours."""
        if given.keys() != self.labels.keys():
            raise ValueError(f"{self.name} has the labels {sorted(self.labels)}, not {sorted(given)}")
        for name, value in given.items():
            allowed = self.labels[name]
            if allowed is not None and value not in allowed:
                raise ValueError(f"{self.name}: {name} may be one of {allowed}, not {value!r}")

    def known_series(self) -> Iterator[dict[str, str]]:
        """Every series that can be named beforehand."""
        values = [allowed for allowed in self.labels.values() if allowed is not None]
        if len(values) == len(self.labels):
            yield from (dict(zip(self.labels, combination, strict=True)) for combination in product(*values))


@dataclass(frozen=True, eq=False)
class Counter(_Declared):
    """Something that is counted. Prometheus shows it with `_total`, and at 0 from the start."""


@dataclass(frozen=True, eq=False)
class Gauge(_Declared):
    """Something that goes up and down."""


@dataclass(frozen=True, eq=False)
class Histogram(_Declared):
    """Something that is measured again and again."""

    buckets: tuple[float, ...] = SECONDS


Metric: TypeAlias = Counter | Gauge | Histogram


def prometheus_name(metric: Metric) -> str:
    """The family's name as Prometheus shows it."""
    unit = {"s": "_seconds", "By": "_bytes", "1": "_ratio", "": ""}[metric.unit]
    name = metric.name.replace(".", "_")
    base = name if name.endswith(unit) else name + unit
    return f"{base}_total" if isinstance(metric, Counter) else base
