"""`threadline ingress compare`: what we missed or doubled beside an older bridge, and what it did."""

import asyncio
import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from services.ingress.adapters.comparison import Side, bridge_side, our_side
from services.ingress.decisions.comparing import Comparison, Message, Stretch
from services.ingress.decisions.comparing import compare as compared
from services.ingress.settings import SHADOW
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from threadline.moments import moment_of
from threadline.plain import plain_console
from threadline.running import kafka_settings

AROUND = timedelta(seconds=60)
"""Before the first and after the last message of a bridge's log, where nothing else is said."""
SHOWN = 50
"""So many of a kind are named; all of them in JSON."""


def compare(  # noqa: PLR0913 - an option is a parameter
    *,
    file: Annotated[Path, typer.Argument(help="The older bridge's log: a JSON object a line.")],
    since: Annotated[str | None, typer.Option(help="From when on; from its log's first message without.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when; until its log's last message without.")] = None,
    topic_prefix: Annotated[
        str | None, typer.Option(help="Another prefix of topics than THREADLINE_TOPIC_PREFIX says.")
    ] = None,
    here: Annotated[
        bool, typer.Option("--here", help="Read what is taken in for good, and not only observed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for machines.")] = False,
) -> None:
    """Compare what `--observe` took in with an older bridge's log; exit 1 where a side missed or doubled a message."""
    settings = kafka_settings()
    prefix = settings.topic_prefix if topic_prefix is None else topic_prefix
    settings = settings.model_copy(update={"topic_prefix": prefix if here else f"{SHADOW}{prefix}"})
    theirs = bridge_side(file)
    stretch = _stretch(file, theirs, since, until)
    ours = asyncio.run(our_side(settings, stretch))
    result = compared(ours.sightings, theirs.sightings, stretch)
    if as_json:
        typer.echo(json.dumps(_as_json(result, stretch, ours, theirs), indent=2))
    else:
        _print(result, stretch, [*ours.unreadable, *theirs.unreadable])
    raise typer.Exit(1 if result.differs else 0)


def _stretch(file: Path, theirs: Side, since: str | None, until: str | None) -> Stretch:
    now = SystemClock().now()
    begin = moment_of("--since", since, now) if since is not None else None
    end = moment_of("--until", until, now) if until is not None else None
    times = [each.message.at for each in theirs.sightings]
    if not times and (begin is None or end is None):
        first = f", beginning with {theirs.unreadable[0]}" if theirs.unreadable else ""
        what = f"{file} names no message: {len(theirs.unreadable)} of its lines could not be read{first}"
        raise Fault(f"{what}; nothing was compared. --since and --until compare with nothing on its side")
    stretch = Stretch(begin or min(times) - AROUND, end or max(times) + AROUND)
    if stretch.since > stretch.until:
        raise Fault(f"it would begin at {_time(stretch.since)} and end at {_time(stretch.until)}; nothing was compared")
    return stretch


def _as_json(result: Comparison, stretch: Stretch, ours: Side, theirs: Side) -> dict[str, object]:
    differences = {name: [asdict(each) for each in messages] for name, messages in _differences(result).items()}
    return {
        "since": stretch.since.isoformat().replace("+00:00", "Z"),
        "until": stretch.until.isoformat().replace("+00:00", "Z"),
        "both": result.both,
        **{name.replace(" ", "_"): messages for name, messages in differences.items()},
        "repeated": result.repeated,
        "unreadable_ours": ours.unreadable,
        "unreadable_theirs": theirs.unreadable,
    }


def _print(result: Comparison, stretch: Stretch, unreadable: list[str]) -> None:
    named = {name: [_shown(each) for each in messages] for name, messages in _differences(result).items()}
    named["unreadable"] = unreadable
    counts = {
        "both": result.both,
        **{name: len(lines) for name, lines in named.items()},
        "repeated": result.repeated,
    }
    console, table = plain_console(), Table("", "count", box=None, pad_edge=False)
    for name in ("both", *_differences(result), "repeated", "unreadable"):
        table.add_row(name, str(counts[name]))
    console.print(f"from {_time(stretch.since)} to {_time(stretch.until)}")
    console.print(table)
    for name, lines in named.items():
        if lines:
            console.print(f"\n{name}", style="bold")
        for line in lines[:SHOWN]:
            console.print(f"  {line}", soft_wrap=True)
        if len(lines) > SHOWN:
            console.print(f"  and {len(lines) - SHOWN} more; --json has all")


def _differences(result: Comparison) -> dict[str, tuple[Message, ...]]:
    return {
        "only ours": result.only_ours,
        "only theirs": result.only_theirs,
        "doubled ours": result.doubled_ours,
        "doubled theirs": result.doubled_theirs,
    }


def _shown(message: Message) -> str:
    return f"{message.channel} {message.ts} ({_time(message.at)})"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
