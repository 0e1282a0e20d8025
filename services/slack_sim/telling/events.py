"""Tells apps of events: which of them hear of it, under which name, and in what wrapping."""

import re
from typing import Any

from services.slack_sim.delivery.delivery import Delivery
from services.slack_sim.delivery.dispatcher import Dispatcher
from services.slack_sim.telling.shapes import Json, channel_shape, message_shape, user_shape
from services.slack_sim.wire import as_json
from services.slack_sim.world.entities import App, Channel, Installation, Message, Session, User
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names
from services.slack_sim.world.world import World

HEARD_AS = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}
NOTICES = {"channel_join", "channel_leave"}
"""What Slack itself says in a channel, naming people without mentioning them."""
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")


class Events:
    """Makes events of what happened."""

    def __init__(self, world: World, names: Names, moments: Moments, dispatcher: Dispatcher) -> None:
        self._world, self._names, self._moments, self._dispatcher = world, names, moments, dispatcher

    def message(self, message: Message) -> None:
        """Something was said: a mention of an app is told to it twice, as its mention and as a message."""
        channel = self._world.conversations[message.channel].channel
        listeners = self._listeners(channel)
        if not listeners:
            return
        shape = message_shape(self._world, message, with_metadata=True) | {
            "channel": channel.id,
            "event_ts": message.ts,
        }
        may_mention = channel.kind != "im" and message.subtype not in NOTICES
        mentioned = set(_MENTION.findall(message.text)) if may_mention else set()
        heard_as = HEARD_AS[channel.kind]
        about, mention_about = self._event_id(), self._event_id()
        for installation, app in listeners:
            own = message.app_id == app.id
            if installation.bot_user_id in mentioned and "app_mention" in app.events and not own:
                self._tell(installation, app, shape | {"type": "app_mention"}, mention_about, message.team, channel)
            if heard_as in app.events:
                event = shape | {"channel_type": channel.kind}
                self._tell(installation, app, event, about, message.team, channel)

    def message_changed(self, message: Message, before: Json) -> None:
        """Something said is said differently."""
        now = message_shape(self._world, message, with_metadata=True)
        self._hidden(message, "message_changed", {"message": now, "previous_message": before})

    def message_deleted(self, message: Message, before: Json) -> None:
        """Something said is gone."""
        self._hidden(message, "message_deleted", {"deleted_ts": message.ts, "previous_message": before})

    def _hidden(self, message: Message, subtype: str, rest: Json) -> None:
        channel = self._world.conversations[message.channel].channel
        ts = self._moments.stamp()
        event = {"type": "message", "subtype": subtype, "hidden": True, **rest}
        event |= {"channel": channel.id, "channel_type": channel.kind, "ts": ts, "event_ts": ts}
        self.in_channel(channel, HEARD_AS[channel.kind], event, message.team)

    def reaction(self, message: Message, user: User, name: str, *, added: bool) -> None:
        """An emoji was put on a message, or taken off."""
        channel = self._world.conversations[message.channel].channel
        what = "reaction_added" if added else "reaction_removed"
        event: Json = {"type": what, "user": user.id, "reaction": name, "item_user": message.user}
        event |= {"item": {"type": "message", "channel": channel.id, "ts": message.ts}}
        self.in_channel(channel, what, event | {"event_ts": self._moments.stamp()}, user.team_id)

    def member(self, channel: Channel, user: User, inviter: str | None, *, joined: bool) -> None:
        """Somebody came into a channel, or left it. Whoever came hears of it, too."""
        what = "member_joined_channel" if joined else "member_left_channel"
        letter = "C" if channel.kind == "channel" else "G"
        event: Json = {"type": what, "user": user.id, "channel": channel.id, "channel_type": letter}
        event |= {"team": user.team_id, "event_ts": self._moments.stamp()}
        if inviter is not None:
            event["inviter"] = inviter
        self.in_channel(channel, what, event, user.team_id)

    def channel_created(self, channel: Channel) -> None:
        """There is a new public channel."""
        shape = channel_shape(self._world, channel, channel.creator)
        event = {"type": "channel_created", "channel": shape, "event_ts": self._moments.stamp()}
        self.in_team(channel.team_id, "channel_created", event)

    def team_join(self, user: User) -> None:
        """There is a new member of the workspace."""
        event = {"type": "team_join", "user": user_shape(user), "event_ts": self._moments.stamp()}
        self.in_team(user.team_id, "team_join", event)

    def home_opened(self, installation: Installation, user: User, channel: Channel, tab: str) -> None:
        """Somebody opened an app's home, or its messages."""
        event: Json = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": tab}
        self.to_app(installation, "app_home_opened", event | {"event_ts": self._moments.stamp()})

    def assistant_thread(self, installation: Installation, session: Session, context: Json, *, started: bool) -> None:
        """Somebody opened a thread with an assistant of the older kind, or looks at something else beside it."""
        what = "assistant_thread_started" if started else "assistant_thread_context_changed"
        thread = {"user_id": session.initiator, "context": context, "channel_id": session.channel}
        event = {"type": what, "assistant_thread": thread | {"thread_ts": session.thread_ts}}
        self.to_app(installation, what, event | {"event_ts": self._moments.stamp()})

    def session_stopped(self, installation: Installation, session: Session, user: User, streams: list[str]) -> None:
        """Somebody pressed an agent's Stop."""
        event = {
            "type": "agent_session_stopped",
            "channel": session.channel,
            "thread_ts": session.thread_ts,
            "user": user.id,
            "streaming_message_ts": streams,
            "event_ts": self._moments.stamp(),
        }
        self.to_app(installation, "agent_session_stopped", event)

    def tokens_revoked(self, installation: Installation) -> None:
        """An app's token is good no more."""
        event: Json = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [installation.bot_user_id]}}
        self.to_app(installation, "tokens_revoked", event | {"event_ts": self._moments.stamp()})

    def uninstalled(self, installation: Installation) -> None:
        """An app was taken out of a workspace."""
        event: Json = {"type": "app_uninstalled", "event_ts": self._moments.stamp()}
        self.to_app(installation, "app_uninstalled", event)

    def in_channel(self, channel: Channel, heard_as: str, event: Json, team_id: str) -> None:
        """Tells every app that stands in a channel and asked for it."""
        about = self._event_id()
        for installation, app in self._listeners(channel):
            if heard_as in app.events:
                self._tell(installation, app, event, about, team_id, channel)

    def in_team(self, team_id: str, heard_as: str, event: Json) -> None:
        """Tells every app in a workspace that asked for it."""
        about = self._event_id()
        for installation in list(self._world.installations.values()):
            app = self._world.apps[installation.app_id]
            if installation.team_id == team_id and installation.ended is None and heard_as in app.events:
                self._tell(installation, app, event, about, team_id, None)

    def to_app(self, installation: Installation, heard_as: str, event: Json) -> None:
        """Tells one app, if it asked for it."""
        app = self._world.apps[installation.app_id]
        if heard_as in app.events:
            self._tell(installation, app, event, self._event_id(), installation.team_id, None)

    def _listeners(self, channel: Channel) -> list[tuple[Installation, App]]:
        members = channel.members
        return [
            (each, self._world.apps[each.app_id])
            for each in self._world.installed(channel)
            if each.bot_user_id in members
        ]

    def _event_id(self) -> str:
        return self._names.id("Ev")

    def _tell(  # noqa: PLR0913, PLR0917 - a wrapping has these parts
        self, installation: Installation, app: App, event: Json, event_id: str, team_id: str, channel: Channel | None
    ) -> None:
        enterprise = self._world.workspaces[installation.team_id].enterprise_id
        shared = channel is not None and bool(channel.connected_team_ids)
        place = f"/{channel.id}" if channel is not None else ""
        body: dict[str, Any] = {
            "token": app.verification_token,
            "team_id": team_id,
            "context_team_id": installation.team_id,
            "context_enterprise_id": enterprise,
            "api_app_id": app.id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": self._moments.seconds(),
            "authorizations": [
                {
                    "enterprise_id": enterprise,
                    "team_id": installation.team_id,
                    "user_id": installation.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{event_id}{place}",
        }
        if enterprise is not None:
            body["enterprise_id"] = enterprise
        self._dispatcher.deliver(
            Delivery(
                number=0,
                app_id=app.id,
                team_id=installation.team_id,
                kind="events_api",
                name=event["type"],
                body=as_json(body),
                made_at=self._moments.now(),
                event_id=event_id,
            )
        )
