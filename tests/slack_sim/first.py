"""The simulator's first world, by name."""

from dataclasses import dataclass

from services.slack_sim.control.answers import AppShown, WorldShown


@dataclass(frozen=True)
class First:
    """A workspace, three people, two channels that the agent is in and one that it is not."""

    team: str
    you: str
    colleague: str
    general: str
    support: str
    random: str
    app: AppShown
    bot_user: str
    bot_token: str

    @staticmethod
    def of(world: WorldShown) -> "First":
        users = {user.name: user.id for user in world.users}
        channels = {channel.name: channel.id for channel in world.channels}
        (installation,) = world.installations
        return First(
            team=world.workspaces[0].id,
            you=users["you"],
            colleague=users["colleague"],
            general=channels["general"],
            support=channels["support"],
            random=channels["random"],
            app=world.apps[0],
            bot_user=installation.bot_user_id,
            bot_token=installation.bot_token,
        )
