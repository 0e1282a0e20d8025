"""The inspector: every call that apps make and everything that they are told, the newest first."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from services.kit.markup import Markup, el, together
from services.kit.redaction import HIDDEN, Redactor
from services.slack_sim.delivery.delivery import Delivery
from services.slack_sim.page.seen import Seen
from services.slack_sim.page.stamps import clock
from services.slack_sim.records import ApiCall
from services.slack_sim.simulation import Simulation

MOST = 200
DEEPEST = 60
Record = ApiCall | Delivery
SECRETS = {"token", "access_token", "refresh_token", "client_secret", "bot_token", "app_token", "upload_url"}
KINDS = {"events_api": "event", "interactive": "interaction", "slash_commands": "command"}
CHOICES = (
    ("", "Everything"),
    ("call", "API calls"),
    ("event", "Events"),
    ("interaction", "Interactions"),
    ("command", "Commands"),
    ("wrong", "Errors"),
)


def inspector(seen: Seen) -> Markup | None:
    """The panel, where it is shown."""
    if not seen.inspector:
        return None
    close = el(
        "a", "×", href=seen.address(inspector=False), class_="icon", data_do="go", aria_label="Close the inspector"
    )
    kinds = [el("option", label, value=value) for value, label in CHOICES]
    filters = el(
        "div", el("input", type="search", id="record-filter", placeholder="Filter", aria_label="Filter",
                  autocomplete="off"),
        el("select", kinds, id="record-kind", aria_label="Kind", autocomplete="off"),
        el("button", "Copy JSON", type="button", class_="button", data_do="copy-shown",
           title="Copies everything that is listed now"), class_="filters",
    )  # fmt: skip
    detail = el("div", id="record", hidden=True, data_own=True, aria_label="Details", role="region")
    return el(
        "aside", el("header", el("div", el("h2", "Inspector"), counts(seen.slack)), close), filters, rows(seen.slack),
        detail, id="inspector", aria_label="Inspector",
    )  # fmt: skip


def counts(slack: Simulation) -> Markup:
    """How much there was since the start."""
    calls, links = sum(slack.calls.counts.values()), len(slack.sockets.links())
    told = sum(slack.dispatcher.counts.get(kind, 0) for kind in KINDS)
    said = (
        f"{calls:,} calls · {told:,} deliveries · {slack.dispatcher.open:,} open · {links} socket{'s' * (links != 1)}"
    )
    return el("small", said, id="record-counts")


def rows(slack: Simulation) -> Markup:
    """The last records."""
    newest = sorted([*_last(slack.calls.last), *_last(slack.dispatcher.last)], key=_at, reverse=True)[:MOST]
    return el("ul", [row(slack, each) for each in newest], id="records", data_newest=True, data_most=MOST)


def row(slack: Simulation, record: Record) -> Markup:
    """One record: when, what, whose, how long it took, and what went wrong."""
    app = slack.world.apps.get(record.app_id or "")
    marks = _marks_of_call(record) if isinstance(record, ApiCall) else _marks_of_delivery(record)
    name = record.method if isinstance(record, ApiCall) else record.name
    kind = "call" if isinstance(record, ApiCall) else KINDS[record.kind]
    wrong = any(mark == "wrong" for mark, _ in marks)
    said = [el("span", text, class_=f"mark {mark}") for mark, text in marks]
    button = el(
        "button", clock(_at(record), precise=True), el("span", _ARROWS[kind], class_="way", aria_hidden="true"),
        el("b", _breaking(name)), el("span", app.name if app else "", class_="by"), el("span", said, class_="marks"),
        type="button", data_do="record",
    )  # fmt: skip
    found = " ".join([name, kind, app.name if app else "", app.id if app else "", *(text for _, text in marks)])
    return el("li", button, id=record_id(record), data_at=f"{_at(record):017.6f}", data_kind=kind, data_wrong=wrong,
              data_found=found.lower(), class_="wrong" if wrong else None)  # fmt: skip


_ARROWS = {"call": "→", "event": "←", "interaction": "←", "command": "←"}


def _breaking(name: str) -> Markup:
    """A method's name, which may go on in a new line after each of its dots."""
    return together([el("wbr"), part] for part in re.split(r"(?<=\.)", name))


def record_id(record: Record) -> str:
    """Its id on the page."""
    return f"{'call' if isinstance(record, ApiCall) else 'told'}-{record.number}"


def details(slack: Simulation, wanted: Iterable[str]) -> str:
    """Records whole, as JSON, without secrets."""
    names = set(wanted)
    records: list[Record] = [*slack.calls.last, *slack.dispatcher.last]
    records = [each for each in records if record_id(each) in names]
    shown = [_shown(each) for each in sorted(records, key=_at)]
    told = json.dumps(shown[0] if len(names) == 1 and shown else shown, indent=2, ensure_ascii=False, default=str)
    return Redactor()(told)


def _last(records: Iterable[Record]) -> list[Record]:
    return list(records)[-MOST:]


def _at(record: Record) -> float:
    return record.at if isinstance(record, ApiCall) else record.made_at


def _marks_of_call(call: ApiCall) -> list[tuple[str, str]]:
    marks = [("wrong", call.error)] if call.error else []
    marks += [("wrong", str(call.status))] if call.status >= 400 else []  # noqa: PLR2004 - where HTTP's errors begin
    marks += [("fault", f"fault: {call.fault}")] if call.fault else []
    return [*marks, ("took", f"{call.took_ms:.1f} ms" if call.status else "open")]


def _marks_of_delivery(told: Delivery) -> list[tuple[str, str]]:
    failed = next((each.failure for each in reversed(told.attempts) if each.failure), None)
    marks = [("wrong", failed)] if failed else []
    marks += [("wrong", told.state)] if told.state in {"given up", "lost"} else []
    marks += [("fault", "late")] if told.late else []
    retries = len(told.attempts) - 1
    marks += [("fault", f"{retries} retr{'y' if retries == 1 else 'ies'}")] if retries > 0 else []
    took = ack_ms(told)
    return [*marks, ("took", f"ack {took:.1f} ms" if took is not None else told.state)]


def ack_ms(told: Delivery) -> float | None:
    """How long its first acknowledgement took, from when that attempt was sent."""
    acknowledged = next((each for each in told.attempts if each.acknowledged_at is not None), None)
    if acknowledged is None or acknowledged.acknowledged_at is None:
        return None
    return (acknowledged.acknowledged_at - acknowledged.sent_at) * 1000


def _shown(record: Record) -> dict[str, Any]:
    if isinstance(record, ApiCall):
        return {"kind": "call", **_without_secrets(asdict(record))}
    return {
        "kind": record.kind,
        "number": record.number,
        "name": record.name,
        "app_id": record.app_id,
        "team_id": record.team_id,
        "event_id": record.event_id,
        "made_at": record.made_at,
        "state": record.state,
        "late": record.late,
        "ack_ms": ack_ms(record),
        "attempts": [asdict(each) for each in record.attempts],
        "payload": _without_secrets(json.loads(record.body)),
    }


def _without_secrets(value: Any, depth: int = 0) -> Any:
    if depth > DEEPEST:
        return "…"
    if isinstance(value, dict):
        return {name: HIDDEN if name in SECRETS else _without_secrets(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_secrets(each, depth + 1) for each in value]
    return value
