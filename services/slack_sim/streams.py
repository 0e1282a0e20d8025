"""Streaming messages: they end when their app ends them, when somebody stops them, or by themselves after a while."""

from services.slack_sim.talk import Talk
from services.slack_sim.telling.events import Events
from services.slack_sim.telling.shapes import message_shape
from services.slack_sim.world.entities import Message, StreamState
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.world import World

STREAM_S = 300.0
"""How long a stream lives, unless it is told otherwise."""


class Streams:
    """Every message that is being streamed."""

    def __init__(self, world: World, moments: Moments, talk: Talk, events: Events) -> None:
        self._world, self._moments, self._talk, self._events = world, moments, talk, events
        self.idle_s = STREAM_S
        """How long a stream lives without a word."""
        self.whole_s = STREAM_S
        """How long a stream lives at all."""

    def started(self, message: Message) -> None:
        """Watches over a new one."""
        self._moments.after(min(self.idle_s, self.whole_s), lambda: self._look(message))

    def touched(self, message: Message) -> None:
        """Something was added. Apps are not told of it; people see it at once."""
        if message.stream is not None:
            message.stream.touched_at = self._moments.now()
        self._world.keep(message)

    def ended(self, message: Message, state: StreamState) -> None:
        """It is a message like any other from now on."""
        if message.stream is None:
            return
        before = message_shape(self._world, message, with_metadata=True)
        message.stream.state = state
        self._world.keep(message)
        self._events.message_changed(message, before)

    def of_thread(self, app_id: str, channel_id: str, root_ts: str) -> list[Message]:
        """What an app is streaming in a thread."""
        conversation = self._world.conversations[channel_id]
        stamps = (root_ts, *conversation.replies(root_ts))
        messages = (conversation.messages.get(ts) for ts in stamps)
        return [
            each
            for each in messages
            if each and each.app_id == app_id and each.stream is not None and each.stream.state == "streaming"
        ]

    def resume(self) -> None:
        """Watches over those that were read back."""
        for conversation in self._world.conversations.values():
            for message in conversation.messages.values():
                if message.stream is not None and message.stream.state == "streaming":
                    self._look(message)

    def _look(self, message: Message) -> None:
        stream = message.stream
        if stream is None or stream.state != "streaming":
            return
        due = min(stream.touched_at + self.idle_s, stream.started_at + self.whole_s)
        wait = due - self._moments.now()
        if wait > 0:
            self._moments.after(wait, lambda: self._look(message))
        else:
            self.ended(message, "expired")
