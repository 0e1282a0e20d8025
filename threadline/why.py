"""`threadline why`: the receipt of a run, a message or a delivery: all that is on record, or why it was silent."""

import asyncio
import json
from typing import Annotated, Literal

import typer

from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.report.adapters.receipts import Search, since_of
from services.report.decisions.receipt import receipt
from services.report.decisions.target import target_of
from threadline.moments import moment_of
from threadline.plain import plain_console
from threadline.running import kafka_settings

application = typer.Typer(add_completion=False)


@application.command()
def command(
    what: Annotated[str, typer.Argument(help="A run's id, a message as CHANNEL/TS or its link, or a delivery (Ev…).")],
    since: Annotated[
        str | None,
        typer.Option("--from", help="From when on to look: a time, or so long ago (7d). 24h, or a message's own time."),
    ] = None,
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="For people, or for machines.")] = "text",
) -> None:
    """Tell every fact, decision, call and effect of it in order, or the reason for a silence. No words of people."""
    target, now = target_of(what), SystemClock().now()
    begin = since_of(target, moment_of("--from", since, now) if since is not None else None, now)
    lines = receipt(asyncio.run(Search(kafka_settings(), begin).facts(target)))
    if not lines:
        raise Fault(
            f"nothing is known of {target} since {begin:%Y-%m-%d %H:%M} UTC. Look further back with --from, as far as "
            "topics are kept; what ingress could not write yet is in its spool (`threadline ingress spools`)"
        )
    if form == "json":
        typer.echo(json.dumps([line.as_json() for line in lines], indent=2))
        return
    console = plain_console()
    for line in lines:
        console.print(f"{line.at:%Y-%m-%d %H:%M:%S.%f}"[:-3], line.said, soft_wrap=True)
        console.print(f"{'':23} {line.where}", style="dim", soft_wrap=True)
