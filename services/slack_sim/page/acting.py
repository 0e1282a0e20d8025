"""Does what somebody did on the page, on their behalf."""

import asyncio
from typing import Any, assert_never

from services.slack_sim.delivery.delivery import Delivery
from services.slack_sim.page import acts
from services.slack_sim.page.seen import address
from services.slack_sim.page.sheet import words
from services.slack_sim.page.typed import as_sent
from services.slack_sim.page.viewer import Viewer
from services.slack_sim.people.people import People
from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation
from services.slack_sim.telling.interactions import Place
from services.slack_sim.telling.shapes import Json
from services.slack_sim.world.entities import User, View

SAID = {
    "action_not_found": "That is no longer there.",
    "already_in_channel": "You are in that channel already.",
    "app_not_installed": "That app is not in this workspace.",
    "cant_delete_message": "You cannot delete that message.",
    "cant_update_message": "You cannot edit that message.",
    "channel_not_found": "That conversation is not there.",
    "command_not_found": "No app takes that command.",
    "invalid_arguments": "That value cannot be taken.",
    "is_archived": "The channel is archived.",
    "message_not_found": "That message is not there any more.",
    "no_text": "There is nothing to send.",
    "not_in_channel": "Join the channel first.",
    "nothing_to_stop": "There is nothing to stop any more.",
    "option_not_found": "That option is not there any more.",
    "required_input_missing": "Something that is required is missing.",
    "shortcut_not_found": "That shortcut is not there.",
    "user_not_found": "Nobody has that name here.",
    "view_not_found": "That is closed already.",
}
"""Refusals, as people read them."""


class Acting:
    """Acts as whoever the page is."""

    def __init__(self, slack: Simulation, people: People) -> None:
        self._slack, self._people = slack, people

    async def act(self, act: acts.AnyAct) -> Json:  # noqa: C901, PLR0912 - one for each kind
        """Does it. Gives what the page must know of it."""
        user = self._people.user(act.user)
        if user.bot_id is not None:
            raise Refusal("user_not_found")
        match act:
            case acts.Say():
                return self._say(user, act)
            case acts.Edit() | acts.Delete() | acts.React():
                self._change(user, act)
            case acts.Press():
                self._press(user, act)
            case acts.Suggest():
                return await self._suggest(user, act)
            case acts.Submit():
                self._submit(user, act)
            case acts.Close():
                self._people.modals.close(user, self._view(user, act.view))
            case acts.Command():
                self._people.run_command(user, self._people.channel(act.channel, user), act.line)
            case acts.Shortcut():
                self._shortcut(user, act)
            case acts.Stop():
                self._people.stop(user, self._people.channel(act.channel, user), act.thread, act.app)
            case acts.Open():
                return self._open(user, act)
            case acts.Assistant():
                session = self._people.start_assistant_thread(user, act.app, act.looking_at)
                return _go(user, session.channel, thread=session.thread_ts)
            case acts.Join():
                self._join(user, act)
            case _:
                assert_never(act)
        return {}

    def _say(self, user: User, act: acts.Say) -> Json:
        channel = self._people.channel(act.channel, user)
        text = as_sent(Viewer(self._slack.world, user), act.text)
        return {"ts": self._people.say(user, channel, text, act.thread, broadcast=act.broadcast).ts}

    def _change(self, user: User, act: acts.Edit | acts.Delete | acts.React) -> None:
        message = self._people.message(self._people.channel(act.channel, user), act.ts)
        match act:
            case acts.Edit():
                self._people.edit(user, message, as_sent(Viewer(self._slack.world, user), act.text))
            case acts.Delete():
                self._people.delete(user, message)
            case acts.React():
                if not self._slack.talk.react(message, user, act.name):
                    self._slack.talk.unreact(message, user, act.name)

    def _press(self, user: User, act: acts.Press) -> None:
        place = self._place(user, act)
        if place.view is not None:
            self._fill_in(place.view, act.values)
        self._people.act(user, place, act.action, act.value, act.block)

    async def _suggest(self, user: User, act: acts.Suggest) -> Json:
        answered: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()

        def take(_: Delivery, answer: Json | None) -> None:
            if not answered.done():
                answered.set_result(answer)

        self._people.suggest(user, self._place(user, act), act.action, act.typed, take)
        return {"options": _options(await answered)}

    def _submit(self, user: User, act: acts.Submit) -> None:
        view = self._view(user, act.view)
        self._fill_in(view, act.values)
        self._people.modals.submit(user, view)

    def _fill_in(self, view: View, values: list[acts.Filled]) -> None:
        for each in values:
            self._people.modals.fill_in(view, each.action, each.value, each.block)

    def _shortcut(self, user: User, act: acts.Shortcut) -> None:
        place = Place()
        if act.channel is not None and act.ts is not None:
            channel = self._people.channel(act.channel, user)
            place = Place(channel, self._people.message(channel, act.ts))
        self._people.choose_shortcut(user, act.app, act.callback, place)

    def _open(self, user: User, act: acts.Open) -> Json:
        if act.app is not None:
            return _go(user, self._people.open_direct(user, act.app, act.tab).id, tab=act.tab)
        other = self._slack.world.user(act.person or "", user.team_id)
        if other is None or other.deleted:
            raise Refusal("user_not_found")
        return _go(user, self._slack.talk.direct(user.team_id, [user.id, other.id], user.id).id)

    def _join(self, user: User, act: acts.Join) -> None:
        channel = self._people.channel(act.channel, user)
        if user.id in channel.members:
            raise Refusal("already_in_channel")
        self._slack.talk.join(channel, user)

    def _place(self, user: User, at: acts.At) -> Place:
        if at.view is not None:
            return Place(view=self._view(user, at.view))
        channel = self._people.channel(at.channel or "", user)
        ephemeral = self._slack.world.ephemerals.get(f"{channel.id}/{user.id}/{at.ts}")
        if ephemeral is not None:
            return Place(channel, ephemeral=ephemeral)
        return Place(channel, self._people.message(channel, at.ts or ""))

    def _view(self, user: User, view_id: str) -> View:
        view = self._slack.world.views.get(view_id)
        if view is None or not view.open or view.user != user.id:
            raise Refusal("view_not_found")
        return view


def _go(user: User, channel_id: str, *, thread: str | None = None, tab: str | None = None) -> Json:
    """Where the page goes next."""
    shown = "home" if tab == "home" else None
    return {
        "go": address({"team": user.team_id, "user": user.id, "channel": channel_id, "thread": thread, "tab": shown})
    }


def _options(answer: Any) -> list[dict[str, str]]:
    """The options that an app named, whatever else it said."""
    if not isinstance(answer, dict):
        return []
    groups = answer.get("option_groups")
    options = list(answer.get("options") or []) if isinstance(answer.get("options"), list) else []
    for group in groups if isinstance(groups, list) else []:
        options += group.get("options") or [] if isinstance(group, dict) else []
    named = [each for each in options if isinstance(each, dict)]
    return [{"value": str(each.get("value", "")), "text": words(each.get("text"))} for each in named]
