"""One call of a method: who calls, what they say, and what they may see."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation
from services.slack_sim.web_api.arguments import Arguments
from services.slack_sim.world.entities import App, Channel, Installation, Message, User

Json = dict[str, Any]


class RateLimited(Exception):
    """It comes too often."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


@dataclass
class Call:
    """A call, once its token is known to be good."""

    slack: Simulation
    args: Arguments
    app: App | None = None
    by: Installation | None = None
    warnings: list[str] = field(default_factory=list)
    host: str = ""
    """The address that it was made to."""
    basic: tuple[str, str] | None = None
    """The name and password that came with it."""
    token: str = ""
    """The token that came with it, whatever it is good for."""

    @property
    def installation(self) -> Installation:
        """Who calls, where a bot token was asked for."""
        if self.by is None:
            raise Refusal("not_allowed_token_type")
        return self.by

    @property
    def team_id(self) -> str:
        """The workspace that it is made in."""
        return self.installation.team_id

    @property
    def bot(self) -> User:
        """The bot user who calls."""
        return self.slack.world.users[self.installation.bot_user_id]

    def channel(self, name: str = "channel", error: str = "channel_not_found") -> Channel:
        """The channel that is named, as far as the caller can see it."""
        given = self.args.needed(name)
        channel = self.slack.world.channel(given)
        if channel is None or self.team_id not in self.slack.world.teams_of(channel):
            raise Refusal(error)
        if channel.kind != "channel" and self.bot.id not in channel.members:
            raise Refusal(error)
        return channel

    def channel_as_member(self, name: str = "channel") -> Channel:
        """The same, where the caller must be in it."""
        channel = self.channel(name)
        if self.bot.id not in channel.members:
            raise Refusal("not_in_channel")
        return channel

    def user(self, name: str = "user") -> User:
        """The user who is named."""
        user = self.slack.world.user(self.args.needed(name), self.team_id)
        if user is None:
            raise Refusal("user_not_found")
        return user

    def message(self, channel: Channel, name: str = "ts") -> Message:
        """The message that is named."""
        message = self.slack.world.conversations[channel.id].messages.get(self.args.text(name))
        if message is None:
            raise Refusal("message_not_found")
        return message

    def need_scope(self, *scopes: str) -> None:
        """Refuses a caller who has none of these."""
        granted = self.installation.scopes
        if not any(scope in granted for scope in scopes):
            raise Refusal("missing_scope", needed=",".join(scopes), provided=",".join(granted))

    def pace_post(self, channel: Channel) -> None:
        """Takes one message from the channel's allowance."""
        wait = self.slack.limits.take_post(channel.id, (self.installation.app_id, self.team_id))
        if wait is not None:
            raise RateLimited(wait)


@dataclass(frozen=True)
class Method:
    """A method of the Web API."""

    name: str
    run: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    """Any of them will do."""
    tier: int | None = None
    """Its rate limit's tier; none where another limit holds, or none at all."""
    token: Literal["bot", "app", "any", "none"] = "bot"  # noqa: S105 - it names a kind of token
