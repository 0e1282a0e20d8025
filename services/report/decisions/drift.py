"""A drift: what moved from one baseline to another. Its JSON Schema is exported from these models."""

import json
from typing import Literal

from schemas.base import Instant, Part
from services.report.decisions.baseline import Limits
from services.report.decisions.thresholds import Thresholds

Unit = Literal["share", "seconds", "tokens", "dollars"]
By = Literal["origin", "agent", "model"]
Test = Literal["exact", "z", "limits"]
Verdict = Literal["worse", "better", "moved", "noise", "too_few", "small"]


class Side(Part):
    """One of the two baselines."""

    first: Instant | None
    last: Instant | None
    events: int
    runs: int


class Change(Part):
    """One figure, before and after."""

    by: By | None
    """None where it is of all runs."""
    group: str | None
    measure: str
    """Such as `error` or `whole_p95`."""
    unit: Unit
    before: float | None
    after: float | None
    of_before: int
    """How many runs, messages or decisions it is of."""
    of_after: int
    moved: float | None
    """From before to after; none where one side has nothing."""
    threshold: float | None
    """By how much it must move to matter, in its own unit."""
    test: Test | None
    """`exact`: Fisher's. `z`: of two proportions. `limits`: whether the limits of the two percentiles are apart."""
    p: float | None
    """Of a rate: how often chance alone moves it so far."""
    before_between: Limits | None
    """Of a percentile: its limits."""
    after_between: Limits | None
    beyond_noise: bool | None
    """None where there are too few to tell."""
    verdict: Verdict


class Drift(Part):
    """Two baselines, compared."""

    format: Literal["threadline.drift.v1"] = "threadline.drift.v1"
    before: Side
    after: Side
    worse: int
    """How many figures moved the wrong way, by more than their threshold and more than noise."""
    better: int
    moved: int
    """Likewise, of those for which no way is the wrong one."""
    changes: tuple[Change, ...]
    not_compared: tuple[str, ...]
    """What only one of the two has, in words."""
    thresholds: Thresholds


def json_schema() -> str:
    """The JSON Schema of a drift, as text that is always the same."""
    schema = Drift.model_json_schema(mode="serialization")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Threadline's drift"}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
