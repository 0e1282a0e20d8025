"""What is said and done in channels, by people and by apps alike: the world is changed, and the apps are told."""

from typing import Any

from services.slack_sim.telling.events import Events
from services.slack_sim.telling.shapes import message_shape
from services.slack_sim.world.entities import Channel, Ephemeral, Message, User
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names
from services.slack_sim.world.world import World


class Talk:
    """Posts, edits, deletes, reacts; lets people in and out."""

    def __init__(self, world: World, names: Names, moments: Moments, events: Events) -> None:
        self._world, self._names, self._moments, self._events = world, names, moments, events

    def post(self, message: Message) -> Message:
        """Adds a message."""
        self._world.keep(message)
        self._show_root(message)
        self._events.message(message)
        return message

    def edit(self, message: Message, by: str, **changes: Any) -> None:
        """Changes what a message says."""
        before = message_shape(self._world, message, with_metadata=True)
        for name, value in changes.items():
            setattr(message, name, value)
        message.edited_by, message.edited_ts = by, self._moments.stamp()
        self._world.keep(message)
        self._events.message_changed(message, before)

    def delete(self, message: Message) -> None:
        """Takes a message away."""
        before = message_shape(self._world, message, with_metadata=True)
        self._world.forget(message)
        self._show_root(message)
        self._events.message_deleted(message, before)

    def whisper(self, ephemeral: Ephemeral) -> None:
        """Shows something to one person."""
        self._world.keep(ephemeral)

    def react(self, message: Message, user: User, name: str) -> bool:
        """Puts an emoji on a message. False where it is there already."""
        reactions = message.reactions if message.reactions is not None else {}
        people = reactions.setdefault(name, [])
        if user.id in people:
            return False
        people.append(user.id)
        message.reactions = reactions
        self._world.keep(message)
        self._events.reaction(message, user, name, added=True)
        return True

    def unreact(self, message: Message, user: User, name: str) -> bool:
        """Takes it off. False where it is not there."""
        people = (message.reactions or {}).get(name, [])
        if message.reactions is None or user.id not in people:
            return False
        people.remove(user.id)
        if not people:
            del message.reactions[name]
        self._world.keep(message)
        self._events.reaction(message, user, name, added=False)
        return True

    def make_channel(self, channel: Channel) -> Channel:
        """A new conversation."""
        self._world.keep(channel)
        if channel.kind == "channel":
            self._events.channel_created(channel)
        return channel

    def direct(self, team_id: str, members: list[str], creator: str) -> Channel:
        """The direct conversation of these; a new one, where there was none."""
        members = list(dict.fromkeys(members))
        found = self._world.direct(team_id, members)
        if found is not None:
            return found
        kind, letter = ("mpim", "G") if len(members) > 2 else ("im", "D")  # noqa: PLR2004 - two are alone
        name = "" if kind == "im" else f"mpdm-{'--'.join(self._world.users[each].name for each in members)}-1"
        channel_id = self._names.id(letter)
        return self.make_channel(
            Channel(channel_id, team_id, name, kind, creator, self._moments.seconds(), members)  # type: ignore[arg-type]
        )

    def join(self, channel: Channel, user: User, inviter: str | None = None) -> None:
        """Lets somebody in."""
        channel.members.append(user.id)
        self._world.keep(channel)
        if channel.kind in {"im", "mpim"}:
            return
        said = Message(self._moments.stamp(), channel.id, user.team_id, user.id, f"<@{user.id}> has joined the channel")
        said.subtype = "channel_join"
        self.post(said)
        self._events.member(channel, user, inviter, joined=True)

    def leave(self, channel: Channel, user: User) -> None:
        """Lets somebody out. An app that leaves hears no more."""
        channel.members.remove(user.id)
        self._world.keep(channel)
        self._events.member(channel, user, None, joined=False)

    def _show_root(self, message: Message) -> None:
        """A thread's root counts its replies, so that whoever watches it must look again."""
        root = self._world.conversations[message.channel].messages.get(message.root_ts)
        if root is not None and root is not message:
            self._world.keep(root)
