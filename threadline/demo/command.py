"""`threadline demo`: starts everything as `threadline up` does, plays the scenes, and says whether all claims held."""

import asyncio
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from services.kit.clock import Clock, SystemClock
from services.kit.groups import KafkaSettings
from services.kit.settings import child_environment, load
from services.local import kafka, ports, postgres, sample, state
from services.local.home import Home, LocalFault, LocalSettings
from services.local.names import SLACK_SIM
from services.slack_sim.client import NotInTime, slack_sim_at
from threadline.demo.caller import caller_at
from threadline.demo.scenes import SCENES, Scene
from threadline.demo.stage import Claim, Stage
from threadline.report import extra

application = typer.Typer(add_completion=False)

READY_WITHIN_S, STOPPED_WITHIN_S, LOOK_EVERY_S = 120.0, 30.0, 0.1
OURS = {"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": "", "SLACK_API_URL": "", "THREADLINE_MODEL": "rehearsal"}
"""It never speaks in a real workspace, and asks no model that costs money."""


@application.command()
def demo(
    record: Annotated[
        Path | None,
        typer.Option(help="Keep what the audit says of it, for reports, in a file: .jsonl or .parquet."),
    ] = None,
) -> None:
    """Play a conversation in a Slack of its own, and check each claim that is printed; exit 1 where one is not so."""
    if record is not None:
        with extra():
            from services.report.adapters.sources import form_of  # noqa: PLC0415 - only where it is asked for
        form_of(record)
    home = Home.of(load(LocalSettings))
    own = Home(root=home.root / "demo", cache=home.cache)
    if not asyncio.run(_play(own, SystemClock(), record)):
        raise typer.Exit(1)


async def _play(home: Home, clock: Clock, record: Path | None) -> bool:
    begun = clock.monotonic()
    async with _product(home, clock) as gateway:
        found = state.running(home)
        if found is None:
            raise LocalFault(f"nothing runs in {home.root} any more; its logs are in {home.logs}")
        address = found.address_of(SLACK_SIM).removeprefix("chat at ")
        typer.echo(f"all is ready after {clock.monotonic() - begun:.1f} s; look on at {address}")
        settings = kafka.settings_at(found.address_of(kafka.NAME))
        database = postgres.Database.at(home, found.address_of(postgres.NAME)).settings()
        async with slack_sim_at(address) as sim:
            world = await sim.world()
            tenant = sample.tenant_of(world.workspaces[0].id)
            async with caller_at(gateway, database, tenant, clock) as caller:
                stage = Stage(sim, world, caller, home, settings, clock, clock.now(), typer.echo)
                claims = await _scenes(stage)
        if record is not None:
            await _record(settings, record)
    held = sum(claim.holds for claim in claims)
    typer.echo(f"\n{held} of {len(claims)} claims held; {clock.monotonic() - begun:.1f} s in all")
    if held < len(claims):
        typer.echo(f"what is not so is for the logs in {home.logs} to tell; what would follow was not played")
    return held == len(claims)


async def _record(settings: KafkaSettings, to: Path) -> None:
    with extra():
        from threadline import report_log  # noqa: PLC0415 - only where it is asked for
    count = await asyncio.to_thread(report_log.record, settings, to)
    typer.echo(f"\n{count} records of the audit stand in {to}; `threadline report baseline {to}` counts them")


async def _scenes(stage: Stage) -> list[Claim]:
    """One after the other, until something is not so."""
    claims: list[Claim] = []
    for title, scene in SCENES:
        claims += await _scene(title, scene, stage)
        if not all(claim.holds for claim in claims):
            break
    return claims


async def _scene(title: str, scene: Scene, stage: Stage) -> list[Claim]:
    typer.echo(f"\n── {title} " + "─" * max(0, 70 - len(title)))
    stage.begun = stage.clock.monotonic()
    try:
        claims = await scene(stage)
    except (NotInTime, TimeoutError) as error:
        claims = [Claim(f"it came in time ({type(error).__name__})", holds=False)]
    for claim in claims:
        typer.echo(f"  {'✓' if claim.holds else '✗ NOT SO:'} {claim.what}")
    return claims


@asynccontextmanager
async def _product(home: Home, clock: Clock) -> AsyncIterator[str]:
    """`threadline up` within it, under a home of its own that is empty: no limit is used up by what was said before.

    Gives where programs reach it.
    """
    if state.running(home) is not None:
        raise LocalFault(f"a demo plays already in {home.root}; wait until it is over")
    shutil.rmtree(home.root, ignore_errors=True)
    home.make()
    gateway = ports.free()
    log = home.logs / "up.log"
    reached = {"THREADLINE_INGRESS_HTTP": "true", "THREADLINE_INGRESS_HTTP_PORT": str(gateway)}
    told = child_environment({**OURS, **reached, "THREADLINE_HOME": str(home.root)})
    command = (sys.executable, "-m", "threadline", "up", "--plain")
    with log.open("wb") as output:
        started = await asyncio.create_subprocess_exec(
            *command, env=told, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = clock.monotonic() + READY_WITHIN_S
        while (found := state.running(home)) is None or not found.is_ready or found.supervisor.pid != started.pid:
            if started.returncode is not None or clock.monotonic() > deadline:
                raise LocalFault(f"the product did not start; {log} says why")
            await asyncio.sleep(LOOK_EVERY_S)
        yield f"http://{ports.HOST}:{gateway}"
    finally:
        if started.returncode is None:
            started.send_signal(signal.SIGINT)
            await asyncio.wait_for(started.wait(), STOPPED_WITHIN_S)
