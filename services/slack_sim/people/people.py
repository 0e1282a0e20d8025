"""What people do: say, edit, delete, react, press, choose, fill in, command, stop."""

from dataclasses import replace
from typing import Any

from services.slack_sim.delivery.delivery import Answered, Delivery
from services.slack_sim.people import inputs
from services.slack_sim.people.modals import Modals
from services.slack_sim.people.response_urls import ResponseUrl
from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation
from services.slack_sim.telling.interactions import Interactions, Place
from services.slack_sim.world.entities import (
    Channel,
    Command,
    Ephemeral,
    File,
    Installation,
    Message,
    Session,
    User,
    View,
)

Json = dict[str, Any]

SLACKBOT = "USLACKBOT"
CHOSEN_KEPT = 1000


class People:
    """Acts on behalf of people."""

    def __init__(self, slack: Simulation) -> None:
        self._slack = slack
        self._interactions = Interactions(slack.world, slack.moments, slack.dispatcher)
        self.modals = Modals(slack, self._interactions, self.app_in)
        self._chosen: dict[tuple[str, str], dict[str, dict[str, Json]]] = {}
        """What somebody has chosen on a message, as their screen shows it."""

    def user(self, user_id: str) -> User:
        """Somebody, by their id."""
        user = self._slack.world.users.get(user_id)
        if user is None:
            raise Refusal("user_not_found")
        return user

    def channel(self, channel_id: str, user: User) -> Channel:
        """A channel that somebody can see."""
        channel = self._slack.world.channel(channel_id)
        if channel is None or user.team_id not in self._slack.world.teams_of(channel):
            raise Refusal("channel_not_found")
        if channel.kind != "channel" and user.id not in channel.members:
            raise Refusal("channel_not_found")
        return channel

    def message(self, channel: Channel, ts: str) -> Message:
        """A message in it."""
        message = self._slack.world.conversations[channel.id].messages.get(ts)
        if message is None:
            raise Refusal("message_not_found")
        return message

    def app_in(self, app_id: str, team_id: str) -> Installation:
        """An app that stands in a workspace."""
        installation = self._slack.world.installations.get((app_id, team_id))
        if installation is None or installation.ended is not None:
            raise Refusal("app_not_installed")
        return installation

    def say(  # noqa: PLR0913 - a message has these parts
        self,
        user: User,
        channel: Channel,
        text: str,
        thread_ts: str | None = None,
        *,
        broadcast: bool = False,
        files: list[str] | None = None,
        client_msg_id: str | None = None,
    ) -> Message:
        """Somebody says something."""
        if user.id not in channel.members:
            raise Refusal("not_in_channel")
        if channel.archived:
            raise Refusal("is_archived")
        if not text.strip() and not files:
            raise Refusal("no_text")
        slack = self._slack
        if thread_ts is not None:
            thread_ts = self.message(channel, thread_ts).root_ts
        message = Message(slack.moments.stamp(), channel.id, user.team_id, user.id, text, thread_ts)
        message.client_msg_id = client_msg_id or slack.names.uuid("client_msg")
        if broadcast and thread_ts is not None:
            message.subtype = "thread_broadcast"
        if files:
            message.subtype, message.files = "file_share", [self._share(user, channel, name) for name in files]
        return slack.talk.post(message)

    def _share(self, user: User, channel: Channel, name: str) -> str:
        slack = self._slack
        file = File(slack.names.id("F"), user.team_id, user.id, name, 0, slack.moments.seconds())
        file.uploaded = file.complete = True
        file.channels.append(channel.id)
        slack.world.keep(file)
        return file.id

    def edit(self, user: User, message: Message, text: str) -> None:
        """Somebody says it differently."""
        if message.user != user.id:
            raise Refusal("cant_update_message")
        if not text.strip() and not message.files:
            raise Refusal("no_text")
        self._slack.talk.edit(message, user.id, text=text)

    def delete(self, user: User, message: Message) -> None:
        """Somebody takes it back."""
        if message.user != user.id and not user.is_admin:
            raise Refusal("cant_delete_message")
        self._slack.talk.delete(message)

    def open_direct(self, user: User, app_id: str, tab: str = "messages") -> Channel:
        """Somebody opens an app, at its messages or its home."""
        installation = self.app_in(app_id, user.team_id)
        members = [user.id, installation.bot_user_id]
        channel = self._slack.talk.direct(user.team_id, members, user.id)
        self._slack.events.home_opened(installation, user, channel, tab)
        return channel

    def start_assistant_thread(self, user: User, app_id: str, looking_at: str | None) -> Session:
        """Somebody opens a thread with an assistant of the older kind, beside a channel perhaps."""
        slack, installation = self._slack, self.app_in(app_id, user.team_id)
        channel = slack.talk.direct(user.team_id, [user.id, installation.bot_user_id], user.id)
        root = Message(
            slack.moments.stamp(), channel.id, user.team_id, installation.bot_user_id, "New Assistant Thread"
        )
        root.subtype, root.bot_id, root.app_id = "assistant_app_thread", installation.bot_id, app_id
        root.thread_ts = root.ts
        slack.world.keep(root)
        session = slack.sessions.get(app_id, user.team_id, channel.id, root.ts)
        session.initiator = user.id
        slack.world.keep(session)
        slack.events.assistant_thread(installation, session, _context(user, looking_at), started=True)
        return session

    def look_at(self, user: User, session: Session, looking_at: str | None) -> None:
        """Somebody looks at another channel beside an assistant's thread."""
        installation = self.app_in(session.app_id, session.team_id)
        self._slack.events.assistant_thread(installation, session, _context(user, looking_at), started=False)

    def stop(self, user: User, channel: Channel, thread_ts: str, app_id: str) -> list[str]:
        """Somebody presses an agent's Stop: its streams end at once. What else ends is the app's to do."""
        slack, installation = self._slack, self.app_in(app_id, user.team_id)
        session = slack.sessions.get(app_id, user.team_id, channel.id, thread_ts)
        streams = slack.streams.of_thread(app_id, channel.id, thread_ts)
        if session.status != "processing" and not streams:
            raise Refusal("nothing_to_stop")
        for message in streams:
            slack.streams.ended(message, "stopped_by_user")
        stamps = [message.ts for message in streams]
        slack.events.session_stopped(installation, session, user, stamps)
        return stamps

    def act(self, user: User, place: Place, action_id: str, value: Any, block_id: str | None = None) -> Delivery:
        """Somebody presses a button, or chooses something."""
        installation = self._owner(place)
        block, element = inputs.find(_blocks(place), action_id, block_id)
        action = inputs.action_of(block, element, value, self._slack.moments.stamp())
        more = self._links(installation, user, place)
        if place.view is not None:
            view = place.view
            view.values = inputs.present(view.body["blocks"], view.values)
            self.modals.keep_value(place.view, block, element, value)
        else:
            more["state"] = {"values": self._choose(user, place, block, element, value)}
        acted_in = replace(place, attachment=_attachment_of(place, block))
        return self._interactions.acted(installation, user, acted_in, action, more)

    def _choose(self, user: User, place: Place, block: Json, element: Json, value: Any) -> Json:
        """What stands on a message for somebody, once they have chosen that."""
        shown = place.message or place.ephemeral
        key = (user.id, shown.key if shown else "")
        chosen = self._chosen.get(key, {})
        if inputs.is_stateful(element):
            chosen.setdefault(block["block_id"], {})[element["action_id"]] = inputs.state_of(element, value)
            self._chosen.pop(key, None)
            self._chosen[key] = chosen
            if len(self._chosen) > CHOSEN_KEPT:
                del self._chosen[next(iter(self._chosen))]
        return inputs.present(_blocks(place), chosen)

    def suggest(self, user: User, place: Place, action_id: str, typed: str, take: Answered) -> Delivery:
        """Somebody types into a select whose options the app knows; `take` gets its answer."""
        block, element = inputs.find(_blocks(place), action_id)
        ids = (element["action_id"], block.get("block_id", ""))
        return self._interactions.suggest(self._owner(place), user, place, ids, typed, take)

    def run_command(self, user: User, channel: Channel, line: str) -> Delivery:
        """Somebody types a slash command. It never works in a thread."""
        name, _, text = line.strip().partition(" ")
        installation, command = self._taker(user, name)
        url = self._response_url(installation, user, Place(channel))
        slack = self._slack
        links = {
            "response_url": slack.response_urls.give(url),
            "trigger_id": slack.triggers.give(installation.app_id, user.team_id, user.id),
        }

        def answered(delivery: Delivery, answer: Json | None) -> None:
            if answer is None:
                self._tell_failed(user, channel, name, delivery)
            elif answer:
                self._answer_command(url, answer)

        return self._interactions.command(installation, user, channel, command, text.strip(), links, answered)

    def _taker(self, user: User, name: str) -> tuple[Installation, Command]:
        for installation in self._slack.world.installations.values():
            if installation.team_id != user.team_id or installation.ended is not None:
                continue
            for command in self._slack.world.apps[installation.app_id].commands:
                if command.name == name:
                    return installation, command
        raise Refusal("command_not_found")

    def _answer_command(self, url: ResponseUrl, answer: Json) -> None:
        try:
            self._slack.response_urls.say(url, answer)
        except Refusal as refusal:
            self._whisper(url.user_id, url.channel_id, f"The answer could not be shown: `{refusal.error}`.")

    def _tell_failed(self, user: User, channel: Channel, name: str, delivery: Delivery) -> None:
        why = "operation_timeout" if delivery.attempts else "dispatch_failed"
        self._whisper(user.id, channel.id, f"{name} failed with the error “{why}”.")

    def _whisper(self, user_id: str, channel_id: str, text: str) -> None:
        stamp = self._slack.moments.stamp()
        self._slack.talk.whisper(Ephemeral(stamp, channel_id, user_id, text, "", SLACKBOT))

    def choose_shortcut(self, user: User, app_id: str, callback_id: str, place: Place) -> Delivery:
        """Somebody chooses a shortcut from a message's menu, or from everybody's."""
        installation = self.app_in(app_id, user.team_id)
        on = "message" if place.message is not None else "global"
        known = self._slack.world.apps[app_id].shortcuts
        if not any(each.callback_id == callback_id and each.on == on for each in known):
            raise Refusal("shortcut_not_found")
        return self._interactions.shortcut(
            installation, user, callback_id, place, self._links(installation, user, place)
        )

    def _links(self, installation: Installation, user: User, place: Place) -> Json:
        slack = self._slack
        view_id = place.view.id if place.view is not None else None
        links = {"trigger_id": slack.triggers.give(installation.app_id, installation.team_id, user.id, view_id)}
        if place.channel is not None:
            links["response_url"] = slack.response_urls.give(self._response_url(installation, user, place))
        return links

    def _response_url(self, installation: Installation, user: User, place: Place) -> ResponseUrl:
        shown = place.message or place.ephemeral
        return ResponseUrl(
            app_id=installation.app_id,
            team_id=installation.team_id,
            channel_id=place.channel.id if place.channel else "",
            user_id=user.id,
            until=self._slack.response_urls.until(),
            message_ts=place.message.ts if place.message else None,
            ephemeral=place.ephemeral.key if place.ephemeral else None,
            thread_ts=shown.thread_ts if shown else None,
        )

    def _owner(self, place: Place) -> Installation:
        shown = place.message or place.ephemeral or place.view
        if shown is None or not shown.app_id:
            raise Refusal("action_not_found")
        team_id = shown.team_id if isinstance(shown, View) else None
        if team_id is None:
            bot = shown.user if isinstance(shown, Message) else shown.bot_user_id  # type: ignore[union-attr]
            team_id = self._slack.world.users[bot].team_id
        return self.app_in(shown.app_id, team_id)


def _blocks(place: Place) -> list[Json]:
    if place.view is not None:
        blocks: list[Json] = place.view.body["blocks"]
        return blocks
    shown = place.message or place.ephemeral
    found = list(shown.blocks or []) if shown else []
    for attachment in (place.message.attachments or []) if place.message else []:
        found += attachment.get("blocks") or []
    return found


def _attachment_of(place: Place, block: Json) -> int | None:
    """Which attachment of a message a block stands in, if it does in one."""
    attachments = (place.message.attachments or []) if place.message else []
    holding = (
        number for number, each in enumerate(attachments, 1) if any(block is one for one in each.get("blocks") or [])
    )
    return next(holding, None)


def _context(user: User, looking_at: str | None) -> Json:
    if looking_at is None:
        return {}
    return {"channel_id": looking_at, "team_id": user.team_id, "enterprise_id": None}
