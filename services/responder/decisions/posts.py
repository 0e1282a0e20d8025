"""Which message in Slack a program's name for it stands for: a fold of the ledger."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from schemas.effect import EffectConfirmed, EffectFailed, LedgerEntry
from services.responder.decisions.effects import NOT_CHANGED, Subject
from services.responder.decisions.outbound import PURPOSE

MOST: Final = 50_000

Post = tuple[str, str, str | None, str]
"""The connection, the channel, the thread, and the name."""


def post_of(subject: Subject) -> Post | None:
    """The post that a message is about, where its program named one."""
    if subject.post_id is None:
        return None
    return (subject.connection, subject.channel_id, subject.thread_ts, subject.post_id)


@dataclass
class Posts:
    """The posts of one partition, the newest."""

    _stamps: OrderedDict[Post, str] = field(default_factory=OrderedDict)

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
        effect = entry.effect
        if effect.post_id is None or effect.purpose != PURPOSE:
            return
        post = (effect.connection, effect.channel_id, effect.thread_ts, effect.post_id)
        if isinstance(entry, EffectConfirmed):
            self.stands(post, entry.message_ts)
        elif isinstance(entry, EffectFailed) and entry.error in NOT_CHANGED:
            self.gone(post)
