"""`threadline local`: the stack on this machine."""

import asyncio
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from services.kit.clock import SystemClock
from services.kit.settings import load
from services.local import control, jars, stack, state
from services.local.home import Home, LocalFault, LocalSettings
from services.local.state import ProgramState, StackState
from threadline.running import addresses
from threadline.vitals import vitals_of

application = typer.Typer(
    help="The stack on this machine: Kafka and Postgres, embedded.", no_args_is_help=True, add_completion=False
)

Only = Annotated[str, typer.Option(help="Some parts only, with commas between: kafka,postgres.")]


@application.command()
def start(
    only: Only = "",
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, show what happens, stop on Ctrl-C.")] = False,
) -> None:
    """Start the stack and wait until it is ready. One that runs already is found."""
    settings = load(LocalSettings)
    Home.of(settings).make()
    parts = [part for part in only.replace(" ", "").split(",") if part]
    stack.refuse_strangers(parts)
    with download_bar() as progress:
        classpath = control.fetch_programs(settings, parts, progress)
    if foreground:
        asyncio.run(control.run(settings, parts, say, classpath))
        return
    _show(control.start(settings, parts))


@application.command()
def stop() -> None:
    """Stop the stack. Its data stays."""
    typer.echo("stopped; the data is kept" if control.stop(load(LocalSettings)) else "nothing runs")


@application.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Show what runs; exit 1 where something is not ready."""
    home = Home.of(load(LocalSettings))
    found = state.running(home)
    if as_json:
        typer.echo(json.dumps(_facts(found), indent=2))
    elif found is None:
        typer.echo(_absent(home))
    else:
        _show(found)
    if found is None or not found.is_ready:
        raise typer.Exit(1)


@application.command()
def env() -> None:
    """Print the stack's addresses as variables, the database's password among them: eval "$(threadline local env)"."""
    home = Home.of(load(LocalSettings))
    found = state.running(home)
    if found is None:
        raise LocalFault(_absent(home))
    for name, value in addresses(home, found).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _absent(home: Home) -> str:
    if left := state.left_behind(home):
        return f"the supervisor is gone, and {', '.join(left)} still run; `threadline local stop` ends them"
    return f"nothing runs in {home.root}; `threadline local start` starts it"


def _facts(found: StackState | None) -> dict[str, object]:
    programs = found.programs if found else {}
    return {
        "running": found is not None,
        "ready": found is not None and found.is_ready,
        "programs": {
            name: {
                **program.model_dump(exclude={"name", "process"}),
                "pid": program.process.pid if program.process else None,
            }
            for name, program in programs.items()
        },
    }


def _show(found: StackState) -> None:
    table = Table("program", "state", "address", "pid", "memory", "up", "restarts", box=None, pad_edge=False)
    for program in found.programs.values():
        table.add_row(program.name, program.condition, program.address or "", *_vitals(program), str(program.restarts))
    Console().print(table)


def _vitals(program: ProgramState) -> tuple[str, str, str]:
    found = vitals_of(program, SystemClock())
    if found is None:
        return "", "", ""
    return str(found.pid), f"{found.memory / 1e6:.0f} MB", str(timedelta(seconds=int(found.up_s)))


def say(name: str, line: str) -> None:
    """A line of a program's."""
    typer.echo(f"{name:>10} | {line}")


@contextmanager
def download_bar() -> Iterator[jars.Progress]:
    """A bar that shows only where there is something to download."""
    columns = (TextColumn("Apache Kafka, downloaded once"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        yield progress
