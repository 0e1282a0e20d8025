"""`threadline replay`: takes the decisions of a stretch of the log again, and shows which would be others."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from services.directory.document import Tenant, TenantFacts
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
from threadline.directory_past import as_recorded, forgotten_by, standing
from threadline.moments import moment_of
from threadline.other_code import become_that_of
from threadline.running import database_settings, kafka_settings
from threadline.showing import bar, interruptible, no_answer

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
    diff: Annotated[
        bool, typer.Option("--diff", help="End with 1 where a decision would be another, with 2 where nobody can tell.")
    ] = False,
    form: Annotated[Form, typer.Option("--format", help="For people, or for machines.")] = "markdown",
    out: Annotated[Path | None, typer.Option(help="Write it into a file.")] = None,
) -> None:
    """Take decisions again, with the code of today or another, and tell which would be others. Nothing is sent."""
    if code != CURRENT:
        named = {"--from": since, "--to": until, "--directory": directory, "--format": form, "--out": out}
        given = [f"{name}={value}" for name, value in named.items() if value is not None]
        become_that_of(Path(code), ["replay", *given, *(["--diff"] if diff else [])])
    with no_answer() if diff else nullcontext():
        found = _found(since, until, directory, out)
        text = FORMS[form](found)
        if out is not None:
            with interruptible(_as_it_was(out)):
                _write(out, text)
    if out is None:
        for piece in text:
            typer.echo(piece, nl=False)
    else:
        typer.echo(f"{found.decided} decisions, {len(found.differences)} otherwise; {out} tells which")
    if diff and found.differences:
        raise typer.Exit(1)


def _found(since: str, until: str, directory: Path | None, out: Path | None) -> Replayed:
    now = SystemClock().now()
    stretch = Stretch(moment_of("--from", since, now), moment_of("--to", until, now))
    if stretch.since >= stretch.until:
        raise Fault(f"--from {since} is not before --to {until}; nothing was read")
    with interruptible(_as_it_was(out)), bar("records") as progress:
        return asyncio.run(_replayed(stretch, directory, progress))


def _as_it_was(out: Path | None) -> str:
    return "nothing was written" if out is None else f"nothing was written: {out} is as it was"


def _write(out: Path, text: Iterable[str]) -> None:
    try:
        write_pieces(out, (piece.encode() for piece in text))
    except OSError as error:
        raise Fault(f"{out} cannot be written ({error.strerror}); it is as it was") from error


async def _replayed(stretch: Stretch, file: Path | None, progress: Progress) -> Replayed:
    per_minute = load(RouterSettings).rate_limit_per_minute
    described = tenants_in(file) if file is not None else ()  # at once: a mistake in it is told before anything else
    named = "each under the directory that it names" if file is None else f"each under {file.name}"
    async with owner_database(database_settings()) as owner:
        recorded = as_recorded(owner)
        tried = Directories(_tried(described, recorded), per_minute) if file is not None else None
        under = Under(Directories(recorded, per_minute, forgotten_by(owner)), tried, named)
        return await replay(kafka_settings(), stretch, under, progress=progress)


def _tried(described: Iterable[Tenant], recorded: Reading) -> Reading:
    """The tenants of a file, each as it would stand in place of the one that is applied."""

    async def read(_: int | None) -> Iterable[TenantFacts]:
        applied = {each.id: each for each in await recorded(None)}
        return [standing(each, applied.get(each.id)) for each in described]

    return read
