"""`threadline supervisor`: watches long-running agents."""

import asyncio
import time
from datetime import timedelta
from typing import Annotated

import typer

from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.supervisor.settings import KeepingSettings, SupervisorSettings
from threadline.running import become, database_settings, kafka_settings, service_settings

application = typer.Typer(add_completion=False)


@application.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Watch long-running agents: hear what they report and what people want of them, until Ctrl-C."""
    if context.invoked_subcommand is None:
        become("services.supervisor", SupervisorSettings, {})


@application.command("open")
def open_page(
    *,
    tenant: Annotated[
        str | None,
        typer.Option(help="Whose tasks; the only tenant's without, or the sample one's.", show_default=False),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser", help="Open it in a browser, too.")] = False,
) -> None:
    """Print a way into the page of the supervisor on this machine: good for a minute, and once."""
    # Imported where they are wanted, likewise.
    import webbrowser  # noqa: PLC0415

    from services.kit.clock import SystemClock  # noqa: PLC0415
    from services.supervisor.adapters.codes import Codes  # noqa: PLC0415

    codes = Codes(service_settings(SupervisorSettings).state_folder, SystemClock())
    address = codes.way_in(tenant or _only_tenant())
    typer.echo(address)
    if browser and not webbrowser.open(address):
        typer.echo("there is no browser to open it in; open it yourself within a minute", err=True)


def _only_tenant() -> str:
    from services.directory.history import whole  # noqa: PLC0415
    from services.directory.owner import OwnerDatabase  # noqa: PLC0415
    from threadline.owning import run_as_owner  # noqa: PLC0415

    async def named(owner: OwnerDatabase) -> list[str]:
        async with owner.begin() as connection:
            return sorted(await whole(connection))

    found = run_as_owner(named)
    sample = [each for each in found if each.startswith("sample-")]
    for one in (found, sample):
        if len(one) == 1:
            return one[0]
    names = ", ".join(found[:10]) or "there is none; `threadline directory apply` takes a directory.yaml"
    raise Fault(f"whose tasks? Name the tenant with --tenant: {names}")


@application.command()
def rebuild() -> None:
    """Make the tables of tasks anew from agents.events. A running supervisor goes on meanwhile."""
    # Imported where it is wanted: a start would wait for it.
    from services.supervisor.adapters.rebuilding import Rebuilt  # noqa: PLC0415
    from services.supervisor.adapters.rebuilding import rebuild as rebuild_all  # noqa: PLC0415
    from services.supervisor.decisions.keeping import Keeping  # noqa: PLC0415

    kept = timedelta(days=service_settings(KeepingSettings).supervisor_keep_days)
    keeping = Keeping(kept, SystemClock().now())
    began = time.monotonic()

    def tell(number: int, so_far: Rebuilt) -> None:
        typer.echo(f"partition {number}: {so_far.events:,} events so far", err=True)

    done = asyncio.run(rebuild_all(kafka_settings(), database_settings(), keeping, tell))
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
