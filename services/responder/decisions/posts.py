"""Which message in Slack a program's name for it stands for: a fold of the ledger."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from schemas.effect import EffectConfirmed, EffectFailed, EffectIntended, LedgerEntry
from schemas.slack import is_channel_name
from services.responder.decisions.effects import NOT_CHANGED, Subject
from services.responder.decisions.outbound import PURPOSE

MOST: Final = 50_000

Post = tuple[str, str, str | None, str | None, str]
"""The connection, the channel, the thread by its ts or by its first message's name, and the message's own name."""


def post_of(subject: Subject) -> Post | None:
    """The post that a message is about, where its program named one."""
    if subject.post_id is None:
        return None
    return (subject.connection, subject.channel_id, subject.thread_ts, subject.thread_of, subject.post_id)


def head_of(subject: Subject) -> Post | None:
    """The post in whose thread a message is said, where its program named one."""
    if subject.thread_of is None:
        return None
    return (subject.connection, subject.channel_id, None, None, subject.thread_of)


@dataclass
class Posts:
    """The posts of one partition, the newest."""

    _stamps: OrderedDict[Post, str] = field(default_factory=OrderedDict)
    _by_name: dict[str, str] = field(default_factory=dict)
    """Channels' names by the effects that were meant under them."""
    _channels: dict[tuple[str, str], str] = field(default_factory=dict)

    def channel(self, connection: str, name: str) -> str | None:
        """The id that Slack answered with when it was posted to under this name."""
        return self._channels.get((connection, name))

    def ts(self, post: Post | None) -> str | None:
        """The message that it stands for; none where there is none, or not any more."""
        return self._stamps.get(post) if post is not None else None

    def stands(self, post: Post | None, ts: str | None) -> None:
        """It is this message from now on."""
        if post is None or ts is None:
            return
        self._stamps[post] = ts
        self._stamps.move_to_end(post)
        if len(self._stamps) > MOST:
            self._stamps.popitem(last=False)

    def gone(self, post: Post | None) -> None:
        """Its message is not there any more."""
        if post is not None:
            self._stamps.pop(post, None)

    def take(self, entry: LedgerEntry) -> None:
        """One entry more."""
        effect, channel = entry.effect, entry.effect.channel_id
        if effect.post_id is None or channel is None or effect.purpose != PURPOSE:
            return
        post = (effect.connection, channel, effect.thread_ts, effect.thread_of, effect.post_id)
        if isinstance(entry, EffectIntended) and is_channel_name(channel):
            self._by_name[effect.effect_id] = channel
        elif isinstance(entry, EffectConfirmed):
            self.stands(post, entry.message_ts)
            if (name := self._by_name.pop(effect.effect_id, None)) is not None:
                self._channels[effect.connection, name] = channel
        elif isinstance(entry, EffectFailed) and entry.error in NOT_CHANGED:
            self.gone(post)
