"""`threadline replay`: takes the decisions of a stretch of the log again, and shows which would be others."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

from services.directory.document import TenantFacts
from services.directory.owner import owner_database
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.kit.settings import load
from services.router.replay.difference import Replayed
from services.router.replay.directories import Directories, Reading
from services.router.replay.replay import Stretch, Under, replay
from services.router.settings import RouterSettings
from threadline.directory_file import tenants_in
from threadline.directory_past import as_recorded
from threadline.moments import moment_of
from threadline.running import database_settings, kafka_settings

application = typer.Typer(add_completion=False)

Form = Literal["markdown", "json"]


@application.command()
def command(  # noqa: PLR0913, PLR0917 - an option each
    since: Annotated[str, typer.Option("--from", help="From when: a time, or so long ago (7d, 2h).")] = "24h",
    until: Annotated[str, typer.Option("--to", help="Until when; now otherwise.")] = "0s",
    directory: Annotated[
        Path | None, typer.Option(help="Decide under this directory.yaml, and not under what each decision names.")
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="End with 1 where a decision would be another.")] = False,
    form: Annotated[Form, typer.Option("--format", help="For people, or for machines.")] = "markdown",
    out: Annotated[Path | None, typer.Option(help="Write it into a file.")] = None,
) -> None:
    """Take decisions again, with the code of today, and tell which would be others. Nothing is sent."""
    now = SystemClock().now()
    stretch = Stretch(moment_of("--from", since, now), moment_of("--to", until, now))
    if stretch.since >= stretch.until:
        raise Fault(f"--from {since} is not before --to {until}; nothing was read")
    found = asyncio.run(_replayed(stretch, directory))
    text = found.as_markdown() if form == "markdown" else json.dumps(found.as_json(), indent=2) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")
        typer.echo(f"{found.decided} decisions, {len(found.differences)} otherwise; {out} tells which")
    if diff and found.differences:
        raise typer.Exit(1)


async def _replayed(stretch: Stretch, file: Path | None) -> Replayed:
    per_minute = load(RouterSettings).rate_limit_per_minute
    tried = Directories(_of_file(file), per_minute) if file is not None else None
    named = "each under the directory that it names" if file is None else f"each under {file.name}"
    async with owner_database(database_settings()) as owner:
        under = Under(Directories(as_recorded(owner), per_minute), tried, named)
        return await replay(kafka_settings(), stretch, under)


def _of_file(file: Path) -> Reading:
    """Read at once: a mistake in it is told before anything else is done."""
    tenants = [each.standing() for each in tenants_in(file)]

    async def read(_: int | None) -> Iterable[TenantFacts]:
        return tenants

    return read
