"""The Slack of this machine: what it hands out to the app that stands in it."""

from dataclasses import dataclass

from pydantic import SecretStr

from services.kit.groups import SlackSettings
from services.slack_sim.client import slack_sim_at


@dataclass(frozen=True)
class HandedOut:
    """Where it is reached, and the tokens of its first app."""

    api_url: str
    bot_token: SecretStr
    app_token: SecretStr
    app: str
    channels: dict[str, str]
    """Names of channels by their ids."""

    def settings(self, others: SlackSettings) -> SlackSettings:
        """Settings with which that app signs in there."""
        return others.model_copy(
            update={
                "slack_api_url": self.api_url,
                "slack_bot_token": self.bot_token,
                "slack_app_token": self.app_token,
                "slack_app_id": self.app,
            }
        )

    def variables(self) -> dict[str, str]:
        """The same for a program that is started."""
        return {
            "SLACK_API_URL": self.api_url,
            "SLACK_BOT_TOKEN": self.bot_token.get_secret_value(),
            "SLACK_APP_TOKEN": self.app_token.get_secret_value(),
            "SLACK_APP_ID": self.app,
        }


async def handed_out(address: str) -> HandedOut:
    """Asks the one at this address, such as http://127.0.0.1:8585."""
    async with slack_sim_at(address) as sim:
        world = await sim.world()
    return HandedOut(
        api_url=f"{address}/api/",
        bot_token=SecretStr(world.installations[0].bot_token),
        app_token=SecretStr(world.apps[0].app_token),
        app=world.apps[0].id,
        channels={each.id: f"#{each.name}" for each in world.channels if each.name},
    )
