"""What reports look at in an event: the parts of its JSON, and the flat columns that they become."""

from typing import Any

import polars as pl

Types = dict[str, Any]

PHASES = ("accepted", "thinking", "first_token", "last_token", "finished")

_TEXT = (
    "type",
    "at",
    "tenant_id",
    "run_id",
    "session",
    "channel",
    "stop_id",
    "origin",
    "state",
    "trigger",
    "agent_id",
    "reason",
    "received_at",
    "source",
    "requested_at",
    "acknowledged_at",
    "verdict",
    "rule_name",
)
_OF_A_DECISION = ("kind", "reason", "bucket", "told_by", "source", "stop_id", "of", "interaction")

SHAPE: Types = {
    **dict.fromkeys(_TEXT, pl.String),
    "phases": pl.Struct(dict.fromkeys(PHASES, pl.Float64)),
    "usage": pl.Struct(
        {"model": pl.String, "input_tokens": pl.Int64, "output_tokens": pl.Int64, "cost_usd": pl.Float64}
    ),
    "requested": pl.Boolean,
    "acknowledged": pl.Boolean,
    "latency_ms": pl.Float64,
    "decision": pl.Struct({**dict.fromkeys(_OF_A_DECISION, pl.String), "permitted": pl.Boolean}),
}
"""An event's JSON, as far as reports read it. What an older version did not write, or wrote otherwise, is null."""

INSTANT = pl.Datetime("us", "UTC")

EVENT: Types = {
    "id": pl.String,
    "type": pl.String,
    "at": INSTANT,
    "tenant_id": pl.String,
    "run_id": pl.String,
    "session": pl.String,
    "channel": pl.String,
    "stop_id": pl.String,
    "origin": pl.String,
    "state": pl.String,
    "trigger": pl.String,
    "agent_id": pl.String,
    "reason": pl.String,
    "received_at": INSTANT,
    **dict.fromkeys(PHASES, pl.Float64),
    "model": pl.String,
    "input_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "cost_usd": pl.Float64,
    "source": pl.String,
    "requested": pl.Boolean,
    "acknowledged": pl.Boolean,
    "latency_ms": pl.Float64,
    "requested_at": INSTANT,
    "acknowledged_at": INSTANT,
    "verdict": pl.String,
    "rule_name": pl.String,
    "kind": pl.String,
    "bucket": pl.String,
    "told_by": pl.String,
    "permitted": pl.Boolean,
    "trouble": pl.String,
}
"""One event as columns. `trouble` says why one is left out; where it is null, the event counts."""

_AS_THEY_ARE = ("tenant_id", "run_id", "session", "channel", "origin", "state", "trigger", "agent_id")
_ALSO_AS_THEY_ARE = ("requested", "acknowledged", "latency_ms", "verdict", "rule_name")
_TIMES = ("at", "received_at", "requested_at", "acknowledged_at")


def flat(parts: pl.DataFrame) -> pl.DataFrame:
    """Columns of an event from the parts of its JSON, its id, and the type that its header names; no trouble yet."""
    decision, usage = pl.col("decision").struct, pl.col("usage").struct
    columns = parts.select(
        "id",
        pl.coalesce("type", "header_type").alias("type"),
        *map(_instant, _TIMES),
        *(_name(pl.col(name)).alias(name) for name in _AS_THEY_ARE),
        *_ALSO_AS_THEY_ARE,
        _name(pl.coalesce("stop_id", decision.field("stop_id"))).alias("stop_id"),
        pl.coalesce("reason", decision.field("reason"), decision.field("interaction"), decision.field("of")).alias(
            "reason"
        ),
        pl.coalesce("source", decision.field("source")).alias("source"),
        *(pl.col("phases").struct.field(name) for name in PHASES),
        *(usage.field(name) for name in ("model", "input_tokens", "output_tokens", "cost_usd")),
        *(decision.field(name) for name in ("kind", "bucket", "told_by", "permitted")),
        pl.lit(None, pl.String).alias("trouble"),
    )
    return columns.select(list(EVENT))


def _name(column: pl.Expr) -> pl.Expr:
    """A name is never empty: an empty one is as good as none."""
    return pl.when(column != "").then(column)


def _instant(name: str) -> pl.Expr:
    """A moment with a zone, in UTC. Most are written with a Z, which is read much faster than what may be any zone."""
    text = pl.col(name)
    in_utc = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", strict=False, time_unit="us", time_zone="UTC")
    in_a_zone = pl.when(in_utc.is_null()).then(text)
    otherwise = in_a_zone.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", strict=False, time_unit="us", time_zone="UTC")
    return pl.coalesce(in_utc, otherwise).alias(name)
