"""`threadline replay`: takes the decisions of a stretch of the log again, and shows which would be others."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from services.directory.document import TenantFacts
from services.directory.owner import owner_database
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.kit.files import write_pieces
from services.kit.settings import load
from services.router.replay import telling
from services.router.replay.directories import Directories, Reading
from services.router.replay.replay import Progress, Stretch, Under, replay
from services.router.replay.replayed import Replayed
from services.router.settings import RouterSettings
from threadline.directory_file import tenants_in
from threadline.directory_past import as_recorded
from threadline.moments import moment_of
from threadline.other_code import become_that_of
from threadline.running import database_settings, kafka_settings
from threadline.showing import bar, interruptible

application = typer.Typer(add_completion=False)

Form = Literal["markdown", "json"]
FORMS: Final[dict[Form, Callable[[Replayed], Iterator[str]]]] = {
    "markdown": telling.as_markdown,
    "json": telling.as_json,
}


CURRENT: Final = "current"


@application.command()
def command(  # noqa: PLR0913, PLR0917 - an option each
    since: Annotated[str, typer.Option("--from", help="From when: a time, or so long ago (7d, 2h).")] = "24h",
    until: Annotated[str, typer.Option("--to", help="Until when; now otherwise.")] = "0s",
    directory: Annotated[
        Path | None, typer.Option(help="Decide under this directory.yaml, and not under what each decision names.")
    ] = None,
    code: Annotated[
        str, typer.Option(help=f"Whose decisions: {CURRENT}, or a folder with another version of Threadline.")
    ] = CURRENT,
    diff: Annotated[bool, typer.Option("--diff", help="End with 1 where a decision would be another.")] = False,
    form: Annotated[Form, typer.Option("--format", help="For people, or for machines.")] = "markdown",
    out: Annotated[Path | None, typer.Option(help="Write it into a file.")] = None,
) -> None:
    """Take decisions again, with the code of today or another, and tell which would be others. Nothing is sent."""
    if code != CURRENT:
        named = {"--from": since, "--to": until, "--directory": directory, "--format": form, "--out": out}
        given = [f"{name}={value}" for name, value in named.items() if value is not None]
        become_that_of(Path(code), ["replay", *given, *(["--diff"] if diff else [])])
    now = SystemClock().now()
    stretch = Stretch(moment_of("--from", since, now), moment_of("--to", until, now))
    if stretch.since >= stretch.until:
        raise Fault(f"--from {since} is not before --to {until}; nothing was read")
    with interruptible("nothing was written" if out is None else f"nothing was written: {out} is as it was"):
        with bar("records") as progress:
            found = asyncio.run(_replayed(stretch, directory, progress))
        text = FORMS[form](found)
        if out is not None:
            _write(out, text)
    if out is None:
        for piece in text:
            typer.echo(piece, nl=False)
    else:
        typer.echo(f"{found.decided} decisions, {len(found.differences)} otherwise; {out} tells which")
    if diff and found.differences:
        raise typer.Exit(1)


def _write(out: Path, text: Iterable[str]) -> None:
    try:
        write_pieces(out, (piece.encode() for piece in text))
    except OSError as error:
        raise Fault(f"{out} cannot be written ({error.strerror}); it is as it was") from error


async def _replayed(stretch: Stretch, file: Path | None, progress: Progress) -> Replayed:
    per_minute = load(RouterSettings).rate_limit_per_minute
    tried = Directories(_of_file(file), per_minute) if file is not None else None
    named = "each under the directory that it names" if file is None else f"each under {file.name}"
    async with owner_database(database_settings()) as owner:
        under = Under(Directories(as_recorded(owner), per_minute), tried, named)
        return await replay(kafka_settings(), stretch, under, progress=progress)


def _of_file(file: Path) -> Reading:
    """Read at once: a mistake in it is told before anything else is done."""
    tenants = [each.standing() for each in tenants_in(file)]

    async def read(_: int | None) -> Iterable[TenantFacts]:
        return tenants

    return read
