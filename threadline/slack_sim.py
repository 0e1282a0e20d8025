"""`threadline slack-sim`: a local Slack, for trying an agent, showing it, and breaking it."""

import asyncio
import logging
import signal
from pathlib import Path
from typing import Annotated

import typer

from services.kit import logs
from services.kit.http import is_loopback
from services.kit.settings import load
from services.slack_sim.app import slack_sim
from services.slack_sim.settings import SlackSimSettings
from services.slack_sim.simulation import Simulation

application = typer.Typer(help="A local Slack to try agents in, with a page to chat at.", add_completion=False)

log = logging.getLogger(__name__)


@application.command()
def start(
    *,
    host: Annotated[str | None, typer.Option(help="The address to listen on.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one.", show_default=False)] = None,
    seed: Annotated[
        str | None, typer.Option(help="The same ids, tokens and times in every run.", show_default=False)
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="A file that keeps everything when it ends.", show_default=False)
    ] = None,
    anywhere: Annotated[
        bool, typer.Option("--anywhere", help="Listen where other machines can reach it, too.")
    ] = False,
) -> None:
    """Start a local Slack; Ctrl-C stops it."""
    given = {"slack_sim_host": host, "slack_sim_port": port, "slack_sim_seed": seed, "slack_sim_state": state}
    named = load(SlackSimSettings)
    settings = named.model_copy(update={name: value for name, value in given.items() if value is not None})
    logs.set_up("slack-sim", settings, ())
    if not is_loopback(settings.slack_sim_host) and anywhere:
        log.warning(
            "it listens on %s: whoever reaches it can read and do everything in it, without signing in",
            settings.slack_sim_host,
        )
    asyncio.run(_serve(settings, anywhere=anywhere))


async def _serve(settings: SlackSimSettings, *, anywhere: bool) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with slack_sim(settings, anywhere=anywhere) as slack:
        _say_where(slack, settings)
        await stopping.wait()


def _say_where(slack: Simulation, settings: SlackSimSettings) -> None:
    typer.echo(f"A local Slack is at {slack.address}/ : chat there, and look at every call beside it.\n")
    for installation in slack.world.installations.values():
        app, team = slack.world.apps[installation.app_id], slack.world.workspaces[installation.team_id]
        if installation.ended is not None:
            continue
        typer.echo(f"# {app.name} ({app.id}) in {team.name} ({team.id})")
        typer.echo(f"export SLACK_API_URL={slack.address}/api/")
        typer.echo(f"export SLACK_BOT_TOKEN={installation.bot_token}")
        typer.echo(f"export SLACK_APP_TOKEN={app.app_token}")
        typer.echo(f"export SLACK_SIGNING_SECRET={app.signing_secret}\n")
    if settings.slack_sim_state is None and settings.slack_sim_seed is None:
        typer.echo("Its tokens are new in every run; --seed or --state keeps them. Ctrl-C stops it.")
    else:
        typer.echo("Ctrl-C stops it.")
