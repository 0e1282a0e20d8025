"""Operations in which people do something."""

import asyncio
from typing import Any

from services.slack_sim.control import answers, asks
from services.slack_sim.control.named import Named
from services.slack_sim.control.operation import Operations
from services.slack_sim.delivery.delivery import Delivery
from services.slack_sim.people.people import People
from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation
from services.slack_sim.telling.interactions import Place


class Acting:
    """Acts as people."""

    def __init__(self, slack: Simulation, people: People) -> None:
        self._slack, self._people, self._named = slack, people, Named(slack, people)

    def operations(self) -> Operations:
        """What it does, by what it is asked."""
        return {
            asks.Join: self._join,
            asks.Leave: self._leave,
            asks.Say: self._say,
            asks.Edit: self._edit,
            asks.Delete: self._delete,
            asks.React: self._react,
            asks.OpenApp: self._open_app,
            asks.OpenAssistant: self._assistant_thread,
            asks.Press: self._press,
            asks.Suggest: self._suggest,
            asks.SubmitView: self._submit,
            asks.CloseView: self._close_view,
            asks.RunCommand: self._command,
            asks.ChooseShortcut: self._shortcut,
            asks.StopAgent: self._stop,
        }

    def _join(self, asked: asks.Join) -> answers.Nothing:
        channel, user = self._named.channel(asked.channel_id), self._people.user(asked.user_id)
        if user.id in channel.members:
            raise Refusal("already_in_channel")
        self._slack.talk.join(channel, user, asked.inviter)
        return answers.Nothing()

    def _leave(self, asked: asks.Leave) -> answers.Nothing:
        channel, user = self._named.channel(asked.channel_id), self._people.user(asked.user_id)
        if user.id not in channel.members:
            raise Refusal("not_in_channel")
        self._slack.talk.leave(channel, user)
        return answers.Nothing()

    def _say(self, asked: asks.Say) -> answers.Said:
        user = self._people.user(asked.user_id)
        message = self._people.say(
            user,
            self._people.channel(asked.channel_id, user),
            asked.text,
            asked.thread_ts,
            broadcast=asked.broadcast,
            files=asked.files,
            client_msg_id=asked.client_msg_id,
        )
        return answers.Said(ts=message.ts, channel_id=message.channel)

    def _edit(self, asked: asks.Edit) -> answers.Nothing:
        user = self._people.user(asked.user_id)
        message = self._people.message(self._people.channel(asked.channel_id, user), asked.ts)
        self._people.edit(user, message, asked.text)
        return answers.Nothing()

    def _delete(self, asked: asks.Delete) -> answers.Nothing:
        user = self._people.user(asked.user_id)
        self._people.delete(user, self._people.message(self._people.channel(asked.channel_id, user), asked.ts))
        return answers.Nothing()

    def _react(self, asked: asks.React) -> answers.Nothing:
        user = self._people.user(asked.user_id)
        message = self._people.message(self._people.channel(asked.channel_id, user), asked.ts)
        change = self._slack.talk.unreact if asked.remove else self._slack.talk.react
        if not change(message, user, asked.name):
            raise Refusal("no_reaction" if asked.remove else "already_reacted")
        return answers.Nothing()

    def _open_app(self, asked: asks.OpenApp) -> answers.Created:
        return answers.Created(
            id=self._people.open_direct(self._people.user(asked.user_id), asked.app_id, asked.tab).id
        )

    def _assistant_thread(self, asked: asks.OpenAssistant) -> answers.Said:
        user = self._people.user(asked.user_id)
        if asked.thread_ts is None:
            session = self._people.start_assistant_thread(user, asked.app_id, asked.looking_at)
            return answers.Said(ts=session.thread_ts, channel_id=session.channel)
        for session in self._slack.world.sessions.values():
            if (session.app_id, session.thread_ts, session.initiator) == (asked.app_id, asked.thread_ts, user.id):
                self._people.look_at(user, session, asked.looking_at)
                return answers.Said(ts=session.thread_ts, channel_id=session.channel)
        raise Refusal("thread_not_found")

    def _press(self, asked: asks.Press) -> answers.Delivered:
        user = self._people.user(asked.user_id)
        delivery = self._people.act(user, self._named.place(user, asked), asked.action_id, asked.value, asked.block_id)
        return answers.Delivered(number=delivery.number)

    async def _suggest(self, asked: asks.Suggest) -> answers.Suggested:
        user = self._people.user(asked.user_id)
        answered: asyncio.Future[dict[str, Any] | None] = asyncio.get_running_loop().create_future()

        def take(_: Delivery, answer: dict[str, Any] | None) -> None:
            if not answered.done():
                answered.set_result(answer)

        self._people.suggest(user, self._named.place(user, asked), asked.action_id, str(asked.value or ""), take)
        return answers.Suggested(answer=await answered)

    def _submit(self, asked: asks.SubmitView) -> answers.Delivered:
        view = self._named.view(asked.view_id)
        for action_id, value in asked.values.items():
            self._people.modals.fill_in(view, action_id, value)
        return answers.Delivered(number=self._people.modals.submit(self._people.user(asked.user_id), view).number)

    def _close_view(self, asked: asks.CloseView) -> answers.Nothing:
        view = self._named.view(asked.view_id)
        self._people.modals.close(self._people.user(asked.user_id), view, all_of_them=asked.all_of_them)
        return answers.Nothing()

    def _command(self, asked: asks.RunCommand) -> answers.Delivered:
        user = self._people.user(asked.user_id)
        channel = self._people.channel(asked.channel_id, user)
        return answers.Delivered(number=self._people.run_command(user, channel, asked.line).number)

    def _shortcut(self, asked: asks.ChooseShortcut) -> answers.Delivered:
        user = self._people.user(asked.user_id)
        place = Place()
        if asked.channel_id is not None and asked.ts is not None:
            channel = self._people.channel(asked.channel_id, user)
            place = Place(channel, self._people.message(channel, asked.ts))
        delivery = self._people.choose_shortcut(user, asked.app_id, asked.callback_id, place)
        return answers.Delivered(number=delivery.number)

    def _stop(self, asked: asks.StopAgent) -> answers.Stopped:
        user = self._people.user(asked.user_id)
        channel = self._people.channel(asked.channel_id, user)
        return answers.Stopped(streaming_message_ts=self._people.stop(user, channel, asked.thread_ts, asked.app_id))
