"""The simulated Slack as the doctor's tests want it: one workspace and one app, with ids and tokens that they know."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.directory.slack_tokens import MORE_SCOPES, SCOPES
from services.slack_sim.app import slack_sim
from services.slack_sim.faults.calls import CallFault
from services.slack_sim.settings import SlackSimSettings
from services.slack_sim.simulation import Simulation
from services.slack_sim.world import sample
from services.slack_sim.world.entities import Channel, Workspace

BOT, APP = "xoxb-0-good-bot-token", "xapp-1-A0LINE-good-app-token"


@dataclass
class AcmeSlack:
    """How it differs from the usual, and what it was asked."""

    scopes: tuple[str, ...] = (*SCOPES, *MORE_SCOPES)
    team: str = "T0ACME"
    app_error: str | None = None
    status: int | None = None
    channels: tuple[str, ...] = ()
    """Names; the ids are `C0000` and so on, in their order."""
    is_invited: bool = False
    """Whether the app is in them."""
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def slack_at(wanted: AcmeSlack) -> AsyncIterator[str]:
    """Its SLACK_API_URL."""
    async with slack_sim(SlackSimSettings(slack_sim_port=0)) as slack:
        _make(slack, wanted)
        slack.calls.watchers.append(lambda call: wanted.asked.append(call.method))
        yield f"{slack.address}/api/"


def _make(slack: Simulation, wanted: AcmeSlack) -> None:
    slack.world.clear()
    slack.world.keep(Workspace(wanted.team, "Acme HQ", "acme"))
    app = sample.new_app(slack.names, "Mara")
    app.app_token = APP
    slack.world.keep(app)
    installation = slack.installing.install(app, wanted.team, "U0YOU", wanted.scopes)
    installation.bot_token = BOT
    slack.world.keep(installation)
    members = [installation.bot_user_id] if wanted.is_invited else []
    for number, name in enumerate(wanted.channels):
        slack.world.keep(Channel(f"C{number:04}", wanted.team, name, "channel", "U0YOU", 0, members))
    if wanted.app_error is not None:
        slack.call_faults.add(CallFault(method="apps.connections.open", kind="error", error=wanted.app_error))
    if wanted.status is not None:
        slack.call_faults.add(CallFault(kind="status", status=wanted.status))
