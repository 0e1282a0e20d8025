"""How far people have read, so that a channel with something new is marked."""

from services.slack_sim.world.entities import Channel, Message, User
from services.slack_sim.world.world import World


class Reading:
    """What everybody has read. What was there at the start counts as read."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read: dict[tuple[str, str], tuple[Channel, str]] = {}
        self._at_first = {
            each.channel.id: (each.channel, self._last_ts(each.channel)) for each in world.conversations.values()
        }

    def read(self, user: User, channel: Channel) -> None:
        """Somebody has a channel before them."""
        self._read[user.id, channel.id] = channel, self._last_ts(channel)

    def is_unread(self, user: User, channel: Channel) -> bool:
        """Whether somebody else said something since. A world that began anew may have the same names again."""
        last = self._last(channel)
        if last is None or user.id not in channel.members or last.user == user.id:
            return False
        for known in (self._read.get((user.id, channel.id)), self._at_first.get(channel.id)):
            if known is not None and known[0] is channel:
                return last.ts > known[1]
        return True

    def _last(self, channel: Channel) -> Message | None:
        return next(reversed(self._world.conversations[channel.id].messages.values()), None)

    def _last_ts(self, channel: Channel) -> str:
        last = self._last(channel)
        return last.ts if last is not None else ""
