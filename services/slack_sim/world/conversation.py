"""A channel's messages, in order, and its threads."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence

from services.slack_sim.world.entities import Channel, Message


class Conversation:
    """One channel with what was said in it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.messages: dict[str, Message] = {}
        self._top: list[str] = []
        self._threads: dict[str, list[str]] = {}

    def add(self, message: Message) -> None:
        """A new message, or one that is read back."""
        self.messages[message.ts] = message
        if message.thread_ts is not None and message.thread_ts != message.ts:
            insort(self._threads.setdefault(message.thread_ts, []), message.ts)
        if message.thread_ts in (None, message.ts) or message.subtype == "thread_broadcast":
            insort(self._top, message.ts)

    def remove(self, message: Message) -> None:
        """A message that was deleted."""
        del self.messages[message.ts]
        if message.ts in self._top:
            self._top.remove(message.ts)
        replies = self._threads.get(message.root_ts, [])
        if message.ts in replies:
            replies.remove(message.ts)

    def after(self, ts: str) -> Iterator[Message]:
        """What was said after that time, in the channel and its threads, the oldest first."""
        if not ts:
            yield from self.messages.values()
            return
        yield from reversed(list(self._newest(ts)))

    def _newest(self, ts: str) -> Iterator[Message]:
        for message in reversed(self.messages.values()):
            if message.ts <= ts:
                return
            yield message

    def replies(self, root_ts: str) -> Sequence[str]:
        """The ts of a thread's replies, the oldest first."""
        return self._threads.get(root_ts, ())

    def between(self, oldest: str, latest: str, *, inclusive: bool) -> Sequence[str]:
        """The ts of what stands in the channel itself within that time, the oldest first."""
        return within(self._top, oldest, latest, inclusive=inclusive)


def within(stamps: Sequence[str], oldest: str, latest: str, *, inclusive: bool) -> Sequence[str]:
    """Those of some sorted ts that lie in that time. No `latest` means no end."""
    if inclusive:
        first, last = bisect_left(stamps, oldest), bisect_right(stamps, latest) if latest else len(stamps)
    else:
        first, last = bisect_right(stamps, oldest), bisect_left(stamps, latest) if latest else len(stamps)
    return stamps[first:last]
