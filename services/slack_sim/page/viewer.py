"""Through whose eyes something is drawn: what they call people and channels."""

from collections import Counter

from services.kit.markup import Markup, el
from services.slack_sim.world.entities import Channel, User
from services.slack_sim.world.world import World

HUES = 8


class Viewer:
    """Somebody who looks."""

    def __init__(self, world: World, user: User) -> None:
        self.world, self.user = world, user

    def name(self, user_id: str) -> str:
        """What somebody is called."""
        user = self.world.users.get(user_id)
        return user.real_name or user.name if user else user_id

    def channel_name(self, channel: Channel) -> str:
        """What a conversation is called: its name, or the others in it."""
        if channel.kind in {"channel", "group"}:
            return channel.name
        others = [self.name(each) for each in channel.members if each != self.user.id]
        return ", ".join(others) or self.name(self.user.id)

    def mention(self, user_id: str) -> Markup:
        """Somebody, in a text."""
        mine = user_id == self.user.id
        return el("span", f"@{self.name(user_id)}", class_="mention mine" if mine else "mention")

    def channel_mention(self, channel_id: str, label: str) -> Markup:
        """A channel, in a text."""
        channel = self.world.channel(channel_id)
        if channel is None or self.user.team_id not in self.world.teams_of(channel):
            return el("span", f"#{label or 'private channel'}", class_="mention")
        href = f"/?team={self.user.team_id}&user={self.user.id}&channel={channel.id}"
        return el("a", f"#{self.channel_name(channel)}", class_="mention", href=href, data_do="go")

    def sees(self, channel: Channel) -> bool:
        """Whether they can open a conversation."""
        open_to_all = channel.kind == "channel" and self.user.team_id in self.world.teams_of(channel)
        return open_to_all or self.user.id in channel.members

    def handles(self) -> dict[str, str]:
        """What each person and bot is called after an @: their name, or their short one where names are alike."""
        around = [each for each in self.world.users_of(self.user.team_id) if not each.deleted]
        often = Counter(each.real_name for each in around)
        return {each.id: each.real_name if often[each.real_name] == 1 else each.name for each in around}


def hue(key: str) -> str:
    """A class that gives somebody's picture its colour."""
    return f"hue-{sum(key.encode()) % HUES}"


def initials(name: str) -> str:
    """Two letters for a picture."""
    words = name.split()
    letters = words[0][:1] + (words[-1][:1] if len(words) > 1 else "") if words else "?"
    return letters.upper()
