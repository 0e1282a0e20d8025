"""When what is to be said of a task is said: what changed now, what only went on now and then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, get_args

from schemas.agent import EndStatus
from services.supervisor.decisions.posts import Post

ENDS: Final = get_args(EndStatus)
PAUSES: Final = (1, 2, 5, 10, 20, 30)


class Urgency(IntEnum):
    """Which of several goes first where Slack's limits leave room for one."""

    WAITS_FOR_SOMEBODY = 0
    IS_OVER = 1
    CHANGED = 2
    WENT_ON = 3


@dataclass(frozen=True)
class Told:
    """What was said last under a post's name."""

    digest: str
    at: datetime
    standing: str | None = None
    message: str = ""
    """The command that says it."""
    refusals: int = 0
    """How often Slack did not take it, as far as is known; 0 as soon as it stands."""
    refused_at: datetime | None = None
    """When it did not for the first time."""


@dataclass(frozen=True)
class Rhythm:
    """How often things are said that nobody waits for, and how soon those again that Slack did not take."""

    every: timedelta
    again: timedelta

    def again_after(self, refusals: int) -> timedelta:
        """Each time later, up to thirty times the first pause."""
        return self.again * PAUSES[min(refusals, len(PAUSES)) - 1]


@dataclass(frozen=True)
class Due:
    """A post that is to be said, and from when on."""

    post: Post
    at: datetime
    urgency: Urgency


def still_due(before: Iterable[Due], posts: Iterable[Post], told: Mapping[str, Told]) -> list[Due]:
    """What waited to be changed and is not the task's any more: its buttons go all the same."""
    names = {each.name for each in posts}
    left = [each for each in before if each.post.name not in names and each.post.name in told]
    return [each for each in left if told[each.post.name].digest != each.post.digest]


def due(posts: Iterable[Post], told: Mapping[str, Told], since: datetime, rhythm: Rhythm) -> list[Due]:
    """Everything that is not said as it is now, and what Slack did not take while its task goes on.

    Nothing is said in a thread whose head was never said, or does not stand.
    """
    found: list[Due] = []
    posts = list(posts)
    somebody_waits = any(_waits(each) for each in posts)
    is_over = bool(posts) and posts[0].status in ENDS
    for post in posts:
        said = told.get(post.name)
        head = told.get(post.thread_of) if post.thread_of is not None else None
        if post.thread_of is not None and (head is None or head.refusals):
            continue
        if said is not None and said.digest == post.digest:
            if said.refusals and not is_over:
                found.append(Due(post, said.at + rhythm.again_after(said.refusals), _urgency(post)))
            continue
        if said is not None and post.standing is not None and post.standing == said.standing:
            found.append(Due(post, said.at + rhythm.every, Urgency.WENT_ON))
        else:
            is_waited_for = somebody_waits and said is None and post.thread_of is None
            found.append(Due(post, since, Urgency.WAITS_FOR_SOMEBODY if is_waited_for else _urgency(post)))
    return found


def _urgency(post: Post) -> Urgency:
    if _waits(post):
        return Urgency.WAITS_FOR_SOMEBODY
    return Urgency.IS_OVER if post.status in ENDS else Urgency.CHANGED


def _waits(post: Post) -> bool:
    """Whether it has buttons for somebody, and is no task's own message."""
    return post.status is None and any(each["type"] == "actions" for each in post.blocks)
