"""Tells apps what people did with their buttons, modals, commands and shortcuts."""

from dataclasses import dataclass
from typing import Any

from services.slack_sim.delivery.delivery import Answered, Delivery
from services.slack_sim.delivery.dispatcher import Dispatcher
from services.slack_sim.telling.shapes import Json, message_shape, team_shape, view_shape
from services.slack_sim.wire import as_json
from services.slack_sim.world.entities import App, Channel, Command, Ephemeral, Installation, Message, User, View
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.world import World


@dataclass(frozen=True)
class Place:
    """Where somebody did something: on a message, on what only they saw, or in a view."""

    channel: Channel | None = None
    message: Message | None = None
    ephemeral: Ephemeral | None = None
    view: View | None = None
    attachment: int | None = None
    """Which of the message's attachments it was done in."""


class Interactions:
    """Makes payloads of what people did, and hands them to the dispatcher."""

    def __init__(self, world: World, moments: Moments, dispatcher: Dispatcher) -> None:
        self._world, self._moments, self._dispatcher = world, moments, dispatcher

    def acted(self, by: Installation, user: User, place: Place, action: Json, more: Json) -> Delivery:
        """Somebody pressed or chose something. `more` has links, and what else they chose on the same message."""
        payload = self._head("block_actions", by, user) | more
        payload |= self._at(place)
        payload["actions"] = [action]
        return self._tell(by, "block_actions", payload)

    def submitted(self, by: Installation, user: User, view: View, links: Json, answered: Answered) -> Delivery:
        """Somebody submitted a modal. The app may answer with what is to become of it."""
        payload = self._head("view_submission", by, user) | links
        payload |= {"view": view_shape(self._world, view), "response_urls": []}
        return self._tell(by, "view_submission", payload, answered)

    def closed(self, by: Installation, user: User, view: View, *, cleared: bool) -> Delivery:
        """Somebody closed a modal that wants to know of it."""
        payload = self._head("view_closed", by, user)
        payload |= {"view": view_shape(self._world, view), "is_cleared": cleared}
        return self._tell(by, "view_closed", payload)

    def shortcut(self, by: Installation, user: User, callback_id: str, place: Place, links: Json) -> Delivery:
        """Somebody chose a shortcut: one of a message's, or one of everybody's."""
        kind = "message_action" if place.message is not None else "shortcut"
        payload = self._head(kind, by, user) | links
        payload |= {"callback_id": callback_id, "action_ts": self._moments.stamp()}
        if place.message is not None and place.channel is not None:
            payload["channel"] = _channel_of(place.channel)
            payload |= {"message_ts": place.message.ts, "message": message_shape(self._world, place.message)}
        return self._tell(by, kind, payload)

    def suggest(  # noqa: PLR0913, PLR0917 - a suggestion has these parts
        self, by: Installation, user: User, place: Place, ids: tuple[str, str], value: str, answered: Answered
    ) -> Delivery:
        """Somebody types into a select whose options the app knows."""
        payload = self._head("block_suggestion", by, user) | self._at(place)
        payload |= {"action_id": ids[0], "block_id": ids[1], "value": value}
        return self._tell(by, "block_suggestion", payload, answered)

    def command(  # noqa: PLR0913, PLR0917 - a command has these parts
        self,
        by: Installation,
        user: User,
        channel: Channel,
        command: Command,
        text: str,
        links: Json,
        answered: Answered,
    ) -> Delivery:
        """Somebody typed a slash command."""
        team = self._world.workspaces[user.team_id]
        app = self._world.apps[by.app_id]
        form = {
            "token": app.verification_token,
            "team_id": team.id,
            "team_domain": team.domain,
            "channel_id": channel.id,
            "channel_name": _channel_of(channel)["name"],
            "user_id": user.id,
            "user_name": user.name,
            "command": command.name,
            "text": text,
            "api_app_id": app.id,
            "is_enterprise_install": "false",
            **links,
        }
        if team.enterprise_id is not None:
            form |= {"enterprise_id": team.enterprise_id, "enterprise_name": team.enterprise_id}
        delivery = self._new(by, "slash_commands", command.name, form)
        delivery.form, delivery.url = form, command.url or app.interactivity_url
        delivery.takes_answer, delivery.answered = True, answered
        return self._dispatcher.deliver(delivery)

    def _tell(self, by: Installation, kind: str, payload: Json, answered: Answered | None = None) -> Delivery:
        delivery = self._new(by, "interactive", kind, payload)
        delivery.url = self._world.apps[by.app_id].interactivity_url
        delivery.takes_answer, delivery.answered = answered is not None, answered
        return self._dispatcher.deliver(delivery)

    def _new(self, by: Installation, kind: Any, name: str, body: Json) -> Delivery:
        return Delivery(0, by.app_id, by.team_id, kind, name, as_json(body), self._moments.now())

    def _head(self, kind: str, by: Installation, user: User) -> Json:
        app: App = self._world.apps[by.app_id]
        team = self._world.workspaces[by.team_id]
        enterprise = {"id": team.enterprise_id, "name": team.enterprise_id} if team.enterprise_id else None
        return {
            "type": kind,
            "token": app.verification_token,
            "api_app_id": app.id,
            "team": team_shape(team),
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
            "enterprise": enterprise,
            "is_enterprise_install": False,
        }

    def _at(self, place: Place) -> Json:
        if place.view is not None:
            seen = view_shape(self._world, place.view)
            return {"container": {"type": "view", "view_id": place.view.id}, "view": seen}
        shown = place.message or place.ephemeral
        if shown is None or place.channel is None:
            return {}
        container: Json = {"type": "message", "message_ts": shown.ts, "channel_id": place.channel.id}
        container["is_ephemeral"] = place.ephemeral is not None
        if place.attachment is not None:
            container |= {"type": "message_attachment", "attachment_id": place.attachment, "is_app_unfurl": False}
        if shown.thread_ts is not None:
            container["thread_ts"] = shown.thread_ts
        where: Json = {"container": container, "channel": _channel_of(place.channel)}
        if place.message is not None:  # of what only one person saw, an app is told no more than where it was
            where["message"] = message_shape(self._world, place.message, with_metadata=True)
        return where


def _channel_of(channel: Channel) -> dict[str, str]:
    names = {"im": "directmessage", "group": "privategroup"}
    return {"id": channel.id, "name": names.get(channel.kind, channel.name)}
