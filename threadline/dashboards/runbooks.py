"""Which alerts are about a metric, as the rules of Prometheus say it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

_SERIES = re.compile(r"\b(?:threadline[_:][a-z0-9_:]+|up\b)")
_PARTS = ("", "_bucket", "_count", "_sum")


@dataclass(frozen=True)
class Alert:
    """One rule that tells somebody, and the series that it looks at in the end."""

    name: str
    severity: str
    runbook: str
    """Where its page stands in the repository."""
    series: frozenset[str]

    def is_about(self, names: Iterable[str]) -> bool:
        """Whether it looks at one of these metrics."""
        return any(name + part in self.series for name in names for part in _PARTS)


def alerts_in(folder: Path) -> list[Alert]:
    """Those of every file of rules."""
    rules: list[dict[str, Any]] = [
        rule
        for path in sorted(folder.glob("*.yaml"))
        for group in YAML(typ="safe").load(path.read_text("utf-8"))["groups"]
        for rule in group["rules"]
    ]
    recorded = {rule["record"]: rule["expr"] for rule in rules if "record" in rule}
    return [
        Alert(
            name=rule["alert"],
            severity=rule["labels"]["severity"],
            runbook=rule["annotations"]["runbook_url"],
            series=_series_in(rule["expr"], recorded),
        )
        for rule in rules
        if "alert" in rule
    ]


def _series_in(expr: str, recorded: Mapping[str, str]) -> frozenset[str]:
    names = frozenset(_SERIES.findall(expr))
    return names.union(*(_series_in(recorded[name], recorded) for name in names & recorded.keys()))
