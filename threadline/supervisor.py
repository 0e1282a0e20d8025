"""`threadline supervisor`: watches long-running agents."""

import asyncio
import time

import typer

from services.supervisor.settings import SupervisorSettings
from threadline.running import become, database_settings, kafka_settings

application = typer.Typer(add_completion=False)


@application.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Watch long-running agents: hear what they report and what people want of them, until Ctrl-C."""
    if context.invoked_subcommand is None:
        become("services.supervisor", SupervisorSettings, {})


@application.command()
def rebuild() -> None:
    """Make the tables of tasks anew from agents.events. A running supervisor goes on meanwhile."""
    # Imported where it is wanted: a start would wait for it.
    from services.supervisor.adapters.rebuilding import Rebuilt  # noqa: PLC0415
    from services.supervisor.adapters.rebuilding import rebuild as rebuild_all  # noqa: PLC0415

    began = time.monotonic()

    def tell(number: int, so_far: Rebuilt) -> None:
        typer.echo(f"partition {number}: {so_far.events:,} events so far", err=True)

    done = asyncio.run(rebuild_all(kafka_settings(), database_settings(), tell))
    seconds = max(time.monotonic() - began, 0.001)
    typer.echo(
        f"{done.tasks:,} tasks are made anew from {done.events:,} events of {done.partitions} partitions, in "
        f"{seconds:.1f} s ({done.events / seconds:,.0f} events/s)"
    )
    if done.unreadable:
        typer.echo(f"{done.unreadable:,} records cannot be understood; dead.letters has them")
    if done.of_nobody:
        typer.echo(f"{done.of_nobody:,} events are of tenants that are gone from the directory, and make no rows")
    if done.gone:
        typer.echo(f"{done.gone:,} older events are gone by retention: tasks that began with them are as the rest says")
