"""The same report in plain Python, event by event: slow, obvious, and made without a look at how columns do it."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Any

Row = dict[str, Any]
PHASES = ("accepted", "thinking", "first_token", "last_token", "finished")
ENDS = {"complete": "completed", "error": "failed", "cancelled": "cancelled"}
STATES = (
    *("state", "at", "tenant_id", "session", "channel", "origin", "trigger", "agent_id", "reason", "stop_id"),
    *("received_at", *PHASES, "model", "input_tokens", "output_tokens", "cost_usd"),
)
CANCELS = ("stop_id", "at", "source", "requested", "acknowledged", "latency_ms", "requested_at", "acknowledged_at")
COMPARED = ("origin", "agent", "model")
LADDER = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


def row_of(event_id: str, event: Row) -> Row:
    """An event, flat."""
    row = {**event, **(event.get("phases") or {}), **(event.get("usage") or {})}
    for name, value in (event.get("decision") or {}).items():
        if row.get(name) is None:
            row[name] = value
    for name in ("at", "received_at", "requested_at", "acknowledged_at"):
        row[name] = datetime.fromisoformat(row[name]) if row.get(name) else None
    return {"id": event_id, **row}


def best(rows: Sequence[Row], *names: str) -> Row:
    """The first by what they say; what is not said comes last."""
    return min(rows, key=lambda row: [(row.get(name) is None, row.get(name)) for name in names])


def once(rows: Iterable[Row], key: Callable[[Row], Any], *names: str) -> list[Row]:
    by_key: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        by_key[key(row)].append(row)
    return [best(found, *names) for found in by_key.values()]


def micro(value: float | None, parts: int = 1_000_000) -> int | None:
    return None if value is None else math.floor(value * parts + 0.5)


def between(begin: datetime | None, end: datetime | None) -> int | None:
    if begin is None or end is None:
        return None
    took = end - begin
    return (took.days * 86400 + took.seconds) * 1_000_000 + took.microseconds


def ranks(values: Iterable[int | None], per: int = 1_000_000) -> Row:
    found = sorted(value for value in values if value is not None)

    def at(percent: int) -> float | None:
        return found[max(0, math.ceil(len(found) * percent / 100) - 1)] / per if found else None

    def value(place: int | None) -> float | None:
        return None if place is None else found[place - 1] / per

    between = {f"p{percent}_between": list(map(value, limits(len(found), percent))) for percent in (50, 95, 99)}
    return {"count": len(found), "p50": at(50), "p95": at(95), "p99": at(99), **between}


@cache
def limits(count: int, percent: int) -> tuple[int | None, int | None]:
    """Places of the values around a percentile, by a whole table of chances in whole numbers."""
    every = 100**count
    chances = [math.comb(count, hits) * percent**hits * (100 - percent) ** (count - hits) for hits in range(count + 1)]
    below = list(accumulate(chances))
    low = max((place for place in range(1, count + 1) if 2000 * below[place - 1] <= every), default=None)
    high = min((place for place in range(1, count + 1) if 2000 * (every - below[place - 1]) <= every), default=None)
    return low, high


def shares(values: Iterable[str | None]) -> list[Row]:
    counts = Counter("not said" if value is None else value for value in values)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [{"name": name, "count": count, "share": rate(count, counts.total())} for name, count in ordered]


def rate(count: int, of: int) -> float | None:
    return round(count / of, 6) if of else None


def outcomes(runs: Sequence[Row]) -> Row:
    counts = Counter(run["outcome"] for run in runs)
    ended = sum(counts[end] for end in ENDS)
    return {
        "runs": len(runs),
        **{name: counts[end] for end, name in ENDS.items()},
        "open": counts["open"],
        "completion_rate": rate(counts["complete"], ended),
        "error_rate": rate(counts["error"], ended),
        "cancel_rate": rate(counts["cancelled"], ended),
    }


def usage(runs: Sequence[Row]) -> Row:
    return {
        "measured": sum(run["input_tokens"] is not None for run in runs),
        "input_tokens": sum(run["input_tokens"] or 0 for run in runs),
        "output_tokens": sum(run["output_tokens"] or 0 for run in runs),
        "priced": sum(run["cost"] is not None for run in runs),
        "cost_usd": sum(run["cost"] or 0 for run in runs) / 1_000_000_000,
        "tokens_each": ranks(
            (run["input_tokens"] + (run["output_tokens"] or 0) for run in runs if run["input_tokens"] is not None), 1
        ),
        "cost_usd_each": ranks((run["cost"] for run in runs), 1_000_000_000),
    }


def runs_of(states: list[Row]) -> list[Row]:
    by_run: dict[str, list[Row]] = defaultdict(list)
    for row in states:
        if row.get("run_id") and row["state"] != "cancel_requested":
            by_run[row["run_id"]].append(row)
    return [_run(run_id, rows) for run_id, rows in by_run.items()]


def _run(run_id: str, rows: list[Row]) -> Row:
    starts = [row for row in rows if row["state"] == "start"]
    ends = [row for row in rows if row["state"] != "start"]
    start = best(starts, "at", *STATES) if starts else {}
    end = best(ends, "at", *STATES) if ends else {}

    def said(name: str) -> Any:
        return end.get(name) if end.get(name) is not None else start.get(name)

    received, begun = said("received_at"), start.get("at")
    from_ = received if received is not None else begun
    run: Row = {
        "run_id": run_id,
        "outcome": end.get("state", "open"),
        "started": bool(starts),
        "begun_at": next((at for at in (begun, received, end.get("at")) if at is not None), None),
        "ended_at": end.get("at"),
        **{name: said(name) for name in ("tenant_id", "session", "channel", "trigger", "agent_id")},
        **{name: end.get(name) for name in ("reason", "model", "input_tokens", "output_tokens")},
        "cost": micro(end.get("cost_usd"), 1_000_000_000),
        **{name: micro(end.get(name)) for name in PHASES},
        "whole": between(from_, end.get("at")),
    }
    first = begun if begun is not None else received
    run["backwards"] = first is not None and run["ended_at"] is not None and run["ended_at"] < first
    channel = run["channel"]
    guessed = None if channel is None else "dm" if channel.startswith("D") else "channel"
    run["origin"] = said("origin") or guessed
    for name in (*PHASES, "whole"):
        if run[name] is not None and run[name] < 0:
            run[name] = None
    return run


def cancels_of(recorded: list[Row], asked: list[Row], runs: list[Row], controls: list[Row]) -> list[Row]:
    pairs = once(recorded, lambda row: (row["run_id"], row.get("stop_id") or ""), "at", *CANCELS)
    found = []
    for row in pairs:
        took = micro(row.get("latency_ms"), 1000)
        if took is None:
            took = between(row.get("requested_at"), row.get("acknowledged_at"))
        acknowledged = row.get("acknowledged") in {None, True}
        requested = row.get("requested") in {None, True}
        found.append({**row, "requested": requested, "latency": took if acknowledged else None, "recorded": True})
    known = {row["run_id"] for row in recorded}
    ends = {run["run_id"]: run["ended_at"] for run in runs if run["outcome"] == "cancelled"}
    sources = {
        row["stop_id"]: row.get("source")
        for row in once([row for row in controls if row.get("stop_id")], lambda row: row["stop_id"], "source")
    }
    for row in once([row for row in asked if row.get("run_id") and row["run_id"] not in known], _run_id, "at", *STATES):
        took = between(row["at"], ends.get(row["run_id"]))
        source = sources.get(row.get("stop_id"))
        found.append({**row, "source": source, "requested": True, "latency": took, "recorded": False})
    return found


def _run_id(row: Row) -> Any:
    return row["run_id"]


def window_of(cancels: list[Row]) -> float:
    took = [each["latency"] for each in cancels if each["requested"] and (each["latency"] or -1) >= 0]
    took += [0 for each in cancels if each["requested"] and each["latency"] == 0]
    if len(took) < 20:
        return 60
    usual = ranks(took)["p95"]
    return next((step for step in LADDER if step >= 3 * usual), LADDER[-1])


def stops_of(cancels: list[Row], asked: list[Row], controls: list[Row], window: float) -> Row:
    met: dict[str, bool] = {}
    for row in asked:
        met.setdefault(_request(row), False)
    wanted = [row for row in cancels if row["requested"]]
    for row in wanted:
        met[_request(row)] = met.get(_request(row), False) or row["recorded"] or row["latency"] is not None

    def verdict(row: Row) -> str:
        took = row["latency"]
        if took is None:
            return "never"
        return "backwards" if took < 0 else "in_time" if took <= window * 1_000_000 else "late"

    def counts(rows: list[Row]) -> Row:
        found = Counter(map(verdict, rows))
        in_time = [row["latency"] for row in rows if verdict(row) == "in_time"]
        return {**{name: found[name] for name in ("in_time", "late", "never")}, "latency_ms": ranks(in_time, 1000)}

    by_source: dict[str, list[Row]] = defaultdict(list)
    for row in wanted:
        by_source[row.get("source") or "not said"].append(row)
    ordered = sorted(by_source.items(), key=lambda each: (-len(each[1]), each[0]))
    return {
        "requests": len(met),
        "refused": sum(row.get("permitted") is False for row in controls),
        "met_nothing": sum(not each for each in met.values()),
        "cancels": len(wanted),
        "unasked": len(cancels) - len(wanted),
        **counts(wanted),
        "by_source": [{"name": name, **counts(rows)} for name, rows in ordered],
    }


def _request(row: Row) -> str:
    return row.get("stop_id") or f"run {row.get('run_id')}"


def groups(runs: list[Row], column: str) -> list[Row]:
    by_name: dict[str, list[Row]] = defaultdict(list)
    for run in runs:
        if run[column] is not None:
            by_name[run[column]].append(run)
    ordered = sorted(by_name.items(), key=lambda each: (-len(each[1]), each[0]))
    return [
        {
            "name": name,
            "outcomes": outcomes(found),
            "first_token_s": ranks(run["first_token"] for run in found if run["outcome"] == "complete"),
            "whole_s": ranks(run["whole"] for run in found if run["outcome"] == "complete"),
            "usage": usage(found),
        }
        for name, found in ordered
    ]


def without_each(found: list[Row]) -> list[Row]:
    """What each run took and cost is told by origin, agent and model."""
    for group in found:
        group["usage"] |= {"tokens_each": ranks([]), "cost_usd_each": ranks([])}
    return found


def sessions_of(runs: list[Row]) -> Row:
    by_session: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        if run["session"] is not None:
            by_session[run["session"]].append(run["outcome"])
    every = list(by_session.values())
    return {
        "sessions": len(every),
        "runs_each": ranks((len(each) for each in every), 1),
        "all_complete": sum("complete" in each and not {"error", "cancelled"} & set(each) for each in every),
        "with_error": sum("error" in each for each in every),
        "with_cancel": sum("cancelled" in each for each in every),
    }


def rules_of(matches: list[Row]) -> list[Row]:
    counts: dict[tuple[bool, str, str], list[bool]] = defaultdict(list)
    for row in matches:
        tenant = row.get("tenant_id")
        counts[tenant is not None, tenant or "not said", row["rule_name"]].append(row.get("run_id") is not None)
    ordered = sorted(counts.items(), key=lambda each: (-len(each[1]), each[0]))
    return [
        {"name": rule, "tenant": tenant, "matches": len(led), "led_to_runs": sum(led)}
        for (_, tenant, rule), led in ordered
    ]


def baseline(events: Iterable[tuple[str, Row]], window_s: float | None = None) -> Row:
    """What a report of these events must say; its pictures (timeline, spreads) are not in it."""
    met = [row_of(event_id, event) for event_id, event in events]
    orders = {"run.state": STATES, "run.cancel": CANCELS, "decision.made": ("tenant_id", "kind", "reason")}
    unique: dict[str, list[Row]] = defaultdict(list)
    for row in met:
        unique[row["type"]].append(row)
    unique = defaultdict(
        list, {kind: once(rows, lambda row: row["id"], *orders.get(kind, ())) for kind, rows in unique.items()}
    )
    states, decisions = unique["run.state"], unique["decision.made"]
    runs = runs_of(states)
    asked = [row for row in states if row["state"] == "cancel_requested"]
    controls = [row for row in decisions if row["kind"] == "control"]
    cancels = cancels_of(unique["run.cancel"], asked, runs, controls)
    window = window_of(cancels) if window_s is None else window_s
    matches, skips = unique["reaction.match"], unique["reaction.skip"]
    throttled = [row for row in decisions if row["kind"] == "throttled"]
    done = [run for run in runs if run["outcome"] == "complete"]
    count = sum(map(len, unique.values()))
    verdicts = Counter(row["verdict"] for row in unique["run.feedback"])
    return {
        "log": {
            "first": min((row["at"] for row in met), default=None),
            "last": max((row["at"] for row in met), default=None),
            "events": count,
            "repeats": len(met) - count,
            "types": shares(kind for kind, rows in unique.items() for _ in rows),
            "clock_jumps": sum(run["backwards"] for run in runs)
            + sum(each["latency"] is not None and each["latency"] < 0 for each in cancels),
        },
        "outcomes": outcomes(runs),
        "errors": shares(run["reason"] for run in runs if run["outcome"] == "error"),
        "usage": usage(runs),
        "phases": [{"name": name, "seconds": ranks(run[name] for run in done)} for name in (*PHASES, "whole")],
        "groupings": {
            by: groups(runs, column) if by in COMPARED else without_each(groups(runs, column))
            for by, column in (
                *(("origin", "origin"), ("trigger", "trigger"), ("tenant", "tenant_id"), ("agent", "agent_id")),
                *(("model", "model"), ("channel", "channel"), ("session", "session")),
            )
        },
        "sessions": sessions_of(runs),
        "stops": {**stops_of(cancels, asked, controls, window), "window": window},
        "reactions": {
            "matches": len(matches),
            "skips": len(skips),
            "match_rate": rate(len(matches), len(matches) + len(skips)),
            "skip_reasons": shares(row["reason"] for row in skips),
            "by_rule": rules_of(matches),
        },
        "throttles": {
            "throttled": len(throttled),
            "by_bucket": shares(row.get("bucket") for row in throttled),
            "told_by": shares(row.get("told_by") for row in throttled),
            "by_tenant": shares(row.get("tenant_id") for row in throttled),
        },
        "decisions": {
            "kinds": shares(row["kind"] for row in decisions),
            "ignored_reasons": shares(row.get("reason") for row in decisions if row["kind"] == "ignored"),
        },
        "feedback": {"good": verdicts["good"], "bad": verdicts["bad"]},
    }
