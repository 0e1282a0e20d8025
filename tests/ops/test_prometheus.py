"""What the live run changes of the rules and of a panel's expression, and what it leaves."""

import re
from pathlib import Path

import pytest

from tests.ops.alerts import RULES
from tests.ops.prometheus import as_grafana_asks, divided

each_file = pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)


@each_file
def test_divided_rules_differ_in_durations_alone(path: Path) -> None:
    real = path.read_text("utf-8")
    shorter = divided(real, 30)
    assert shorter != real
    durations = re.compile(r"(\[|offset |for: )\d+[smhd]\b")
    assert durations.sub(r"\1", shorter) == durations.sub(r"\1", real)
    assert durations.sub(r"\1", real) == durations.sub(r"\1", divided(real, 1))


def test_each_duration_is_divided() -> None:
    rule = "expr: a - a offset 10m > rate(b:ratio_rate5m[1h])\nfor: 2m\n"
    assert divided(rule, 30) == "expr: a - a offset 20s > rate(b:ratio_rate5m[120s])\nfor: 4s\n"


def test_a_divisor_that_leaves_a_rest_is_refused() -> None:
    with pytest.raises(ValueError, match="2m cannot be divided by 7"):
        divided("for: 2m", 7)


def test_variables_are_put_in_as_grafana_does() -> None:
    asked = as_grafana_asks('increase(a{job=~"$job"}[$__range]) + rate(a[$__rate_interval])', {"job": ".+"}, 90.2)
    assert asked == 'increase(a{job=~".+"}[90s]) + rate(a[4s])'
